import { text as readText } from '@foretoken/core/kit';
import type { Span } from './spans.js';

const LINE_BREAK = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/g;
/** White space, and what marks a heading, a list, a quotation or a cell: none of it belongs to a sentence. */
const OPENING = /^(?:\s+|(?:[-*+•‣–—]|\d{1,3}[.)]|#{1,6}|>+|\[[ xX]\]|\|)(?=\s))+/u;
const CLOSING = /(?:\s|\s\|)+$/u;
const FENCE = /^\s{0,3}(`{3,}|~{3,})/;
const LETTER = /\p{L}/u;

/** Tells lines of fenced code from prose, one line after the other; the lines of the fences are code too. */
export class FencedCode {
  #fence: string | undefined;

  /** Throws `INVALID_ARGUMENT` for anything but a string. */
  holds(line: string): boolean {
    const fence = FENCE.exec(readText('line', line))?.[1];
    if (this.#fence === undefined) {
      this.#fence = fence;
      return fence !== undefined;
    }
    if (fence?.startsWith(this.#fence) === true && line.trim() === fence) this.#fence = undefined;
    return true;
  }
}

/** What of each line may hold sentences: without indentation, marks of lists and headings, and white space at the end. */
export function proseLines(text: string, code: FencedCode = new FencedCode()): Span[] {
  const found: Span[] = [];
  let start = 0;
  const add = (end: number): void => {
    const line = text.slice(start, end);
    if (code.holds(line)) return;
    const first = start + (OPENING.exec(line)?.[0].length ?? 0);
    const last = end - (CLOSING.exec(text.slice(first, end))?.[0].length ?? 0);
    if (LETTER.test(text.slice(first, last))) found.push({ start: first, end: last });
  };
  for (const { index, 0: ending } of text.matchAll(LINE_BREAK)) {
    add(index);
    start = index + ending.length;
  }
  add(text.length);
  return found;
}
