import { assertScores, noTokenLeft } from '@foretoken/core/kit';
import { describe, expect, it } from 'vitest';

describe('assertScores', () => {
  it('accepts every number below +Infinity, and -Infinity', () => {
    assertScores(Float32Array.of(0, -1e38, 3e38, Number.NEGATIVE_INFINITY), 0, 0);
    assertScores([], 0, 0);
  });

  it('refuses NaN and +Infinity wherever they stand, naming row and position', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      for (const at of [0, 1, 2]) {
        const scores = Float32Array.of(1, Number.NEGATIVE_INFINITY, 2);
        scores[at] = bad;
        try {
          assertScores(scores, 3, 5);
          expect.unreachable();
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_SCORES', details: { row: 3, position: 5, received: bad } });
          expect(String(error)).toContain('position 5 of row 3');
        }
      }
    }
  });

  it('looks at the named range alone', () => {
    const scores = [Number.NaN, 1, 2, Number.NaN];
    assertScores(scores, 0, 0, 1, 3);
    expect(() => assertScores(scores, 0, 0, 1, 4)).toThrow();
    expect(() => assertScores(scores, 0, 0, 0, 3)).toThrow();
  });
});

describe('noTokenLeft', () => {
  it('names row and position', () => {
    expect(noTokenLeft(2, 7)).toMatchObject({ code: 'UNSATISFIABLE_CONSTRAINT', details: { row: 2, position: 7 } });
  });
});
