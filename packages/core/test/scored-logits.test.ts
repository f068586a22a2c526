import type { OutputRequest } from '@foretoken/core';
import { describe, expect, it, vi } from 'vitest';
import { scoredLogits, scoredLogitsInTurns } from '../src/runtime/index.js';

const NONE = Number.NEGATIVE_INFINITY;
const rows = (...values: number[]): Float32Array => Float32Array.from(values);

describe('scores as they were asked for', () => {
  it('takes the first of the best tokens of each row', () => {
    expect(scoredLogits(rows(1, 3, 3, 0, -1, -2), 3, { kind: 'argmax' })).toEqual({
      kind: 'argmax',
      tokenIds: Int32Array.of(1, 0),
      scores: rows(3, 0),
    });
  });

  it.each([[rows(5, Number.NaN, 1)], [rows(Number.NaN, 5, 1)], [rows(5, 1, Number.NaN)]])(
    'shows a score that is no number in every kind: %s',
    (row) => {
      const own = () => new Float32Array(row);
      const { scores } = scoredLogits(own(), 3, { kind: 'argmax' }) as { scores: Float32Array };
      expect(scores[0]).toBeNaN();
      const { logProbs: best } = scoredLogits(own(), 3, { kind: 'topK', k: 2 }) as { logProbs: Float32Array };
      expect(best[0]).toBeNaN();
      const { logProbs } = scoredLogits(own(), 3, { kind: 'logProbs' }) as { logProbs: Float32Array };
      expect(logProbs.some((logProb) => Number.isNaN(logProb))).toBe(true);
    },
  );

  it('shows an infinite score as it is in every kind', () => {
    const own = () => rows(5, Number.POSITIVE_INFINITY, 1);
    expect(scoredLogits(own(), 3, { kind: 'argmax' })).toMatchObject({ scores: rows(Number.POSITIVE_INFINITY) });
    expect(scoredLogits(own(), 3, { kind: 'topK', k: 2 })).toMatchObject({
      tokenIds: Int32Array.of(1, 0),
      logProbs: rows(Number.POSITIVE_INFINITY, NONE),
    });
    const { logProbs } = scoredLogits(own(), 3, { kind: 'logProbs' }) as { logProbs: Float32Array };
    expect(logProbs).toContain(Number.POSITIVE_INFINITY);
  });

  it('keeps a row in which nothing is possible, and fills up where there are fewer tokens than asked for', () => {
    expect(scoredLogits(rows(NONE, NONE), 2, { kind: 'logProbs' })).toMatchObject({ logProbs: rows(NONE, NONE) });
    const { logProbs } = scoredLogits(rows(0, 0), 2, { kind: 'topK', k: 3 }) as { logProbs: Float32Array };
    expect(logProbs[0]).toBeCloseTo(-Math.LN2, 6);
    expect(logProbs[2]).toBe(NONE);
  });

  it('lets others have their turn between rows, and gives the same', async () => {
    const count = 40;
    const own = () => Float32Array.from({ length: 7 * count }, (_, at) => (at * 31) % 17);
    const kinds: OutputRequest[] = [
      { kind: 'argmax' },
      { kind: 'topK', k: 3 },
      { kind: 'logProbs' },
      { kind: 'logits' },
    ];
    let clock = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (clock += 1000));
    const turns = vi.spyOn(globalThis, 'setImmediate');
    try {
      for (const output of kinds) {
        turns.mockClear();
        expect(await scoredLogitsInTurns(own(), 7, output)).toEqual(scoredLogits(own(), 7, output));
        expect(turns.mock.calls.length).toBe(output.kind === 'logits' ? 0 : count);
      }
    } finally {
      vi.restoreAllMocks();
    }
  });
});
