import { expect } from 'vitest';
import type { Correction } from '../src/index.js';

/** The input with the edits put in by their spans. */
function rebuilt(text: string, edits: Correction['edits']): string {
  let output = '';
  let read = 0;
  for (const { start, end, after } of edits) {
    output += text.slice(read, start) + after;
    read = end;
  }
  return output + text.slice(read);
}

/** Checks that spans and texts of a correction tell the same. */
export function expectConsistent(text: string, { text: output, edits, leftAlone }: Correction): void {
  expect(rebuilt(text, edits)).toBe(output);
  let last = 0;
  for (const { start, end, before, after, outputStart, outputEnd, probability } of edits) {
    expect(start).toBeGreaterThanOrEqual(last);
    expect(text.slice(start, end)).toBe(before);
    expect(output.slice(outputStart, outputEnd)).toBe(after);
    expect(before).not.toBe(after);
    expect(probability).toBeGreaterThanOrEqual(0);
    expect(probability).toBeLessThan(1);
    last = end;
  }
  for (const { start, end, before } of leftAlone) expect(text.slice(start, end)).toBe(before);
}
