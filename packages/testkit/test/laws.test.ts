import type { DecodeEndEvent, DecodeEvent, FinishReason } from '@foretoken/core';
import { describe, expect, it } from 'vitest';
import { assertMet, assertStops } from '../src/cut-laws.js';
import { assertStream } from '../src/laws.js';

function endOf(outputs: readonly (readonly number[])[], finishReason: FinishReason = 'end-token'): DecodeEndEvent {
  const results = outputs.map((output, row) => {
    const best = { tokenIds: Int32Array.from(output), finishReason };
    return { row, hypotheses: [best], best };
  });
  const tokens = outputs.flat().length;
  return { type: 'decode-end', results, statistics: { forwards: 1, tokens, totalMs: 2 }, atMs: 2 };
}

const commit = (position: number, ...tokenIds: number[]): DecodeEvent => ({
  type: 'token-commit',
  row: 0,
  position,
  tokenIds: Int32Array.from(tokenIds),
  atMs: 1,
});

describe('the laws of a stream', () => {
  it('want every commit where the one before it ended', () => {
    expect(assertStream([commit(0, 3, 4), commit(2, 5), endOf([[3, 4, 5]])], 1, 0).type).toBe('decode-end');
    for (const position of [0, 1, 3]) {
      expect(() => assertStream([commit(0, 3, 4), commit(position, 5), endOf([[3, 4, 5]])], 1, 0)).toThrow(
        'commits are append-only',
      );
    }
  });
});

describe('the law of stops', () => {
  const full = endOf([[1, 2, 3, 4]]);

  it('lets nothing follow a stop, of a search too', async () => {
    // The reason is right, but a token comes after what ended the output.
    const late = (): Promise<DecodeEndEvent> => Promise.resolve(endOf([[1, 2, 3, 4]], 'stop-sequence'));
    await expect(assertStops(full, late, true)).rejects.toThrow('nothing follows a stop');
  });

  it('is of no use where only the first row meets a stop', () => {
    const first = ['stop-sequence in row 0', 'stop-string in row 0'];
    expect(() => assertMet(new Set(first))).toThrow('a stop-sequence was met in another row than the first');
    expect(() => assertMet(new Set([...first, 'stop-sequence in row 1']))).toThrow('a stop-string was met');
    assertMet(new Set([...first, 'stop-sequence in row 1', 'stop-string in row 2']));
  });
});
