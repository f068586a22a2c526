import {
  sampleToken,
  truncateEpsilon,
  truncateEta,
  truncateMinP,
  truncateSurprise,
  truncateTopK,
  truncateTopP,
  truncateTypical,
} from '@foretoken/core/kit';
import { describe, expect, it } from 'vitest';

const NEVER = Number.NEGATIVE_INFINITY;
/** Ids that are left of scores of these probabilities. */
function kept(probabilities: readonly number[], truncate: (scores: Float32Array) => void): number[] {
  const scores = Float32Array.from(probabilities, Math.log);
  truncate(scores);
  return [...scores.keys()].filter((tokenId) => scores[tokenId] !== NEVER);
}
const equal = (count: number): number[] => new Array<number>(count).fill(1 / count);

describe('truncations', () => {
  it('look past the first tokens that they rank where the mass needs more', () => {
    expect(kept(equal(200), (scores) => truncateTopP(scores, 0.9))).toHaveLength(180);
    expect(kept(equal(200), (scores) => truncateTypical(scores, 0.9))).toHaveLength(180);
  });

  it('keep no token beyond the one that reaches the mass, and at least one', () => {
    expect(kept(equal(4), (scores) => truncateTopP(scores, 0.5))).toEqual([0, 1]);
    expect(kept([0.5, 0.25, 0.25], (scores) => truncateTopP(scores, 0.5))).toEqual([0]);
    expect(kept([0.1, 0.2, 0.7], (scores) => truncateTopP(scores, 1e-9))).toEqual([2]);
    expect(kept([0.1, 0.2, 0.7], (scores) => truncateTopP(scores, 1))).toEqual([0, 1, 2]);
  });

  it('leave the lower ids of equals', () => {
    expect(kept(equal(5), (scores) => truncateTopK(scores, 2))).toEqual([0, 1]);
  });

  it('keep what lies just within their borders', () => {
    expect(kept([0.5, 0.26, 0.24], (scores) => truncateMinP(scores, 0.5))).toEqual([0, 1]);
    expect(kept([0.5, 0.26, 0.24], (scores) => truncateSurprise(scores, 2))).toEqual([0, 1]);
    expect(kept([0.5, 0.3, 0.2], (scores) => truncateEpsilon(scores, 0.25))).toEqual([0, 1]);
  });

  it('never cut the best token, and leave what was ruled out', () => {
    for (const truncate of [
      (scores: Float32Array) => truncateEpsilon(scores, 0.99),
      (scores: Float32Array) => truncateEta(scores, 0.99),
      (scores: Float32Array) => truncateSurprise(scores, 1e-6),
      (scores: Float32Array) => truncateMinP(scores, 1),
    ]) {
      expect(kept([0, 0.3, 0.4, 0.3], truncate)).toEqual([2]);
    }
    expect(kept([0, 0.3, 0, 0.7], (scores) => truncateTopK(scores, 3))).toEqual([1, 3]);
    expect(kept([0, 0.3, 0, 0.7], (scores) => truncateTypical(scores, 0.999))).toEqual([1, 3]);
  });

  it('eta: a high entropy lowers the bound', () => {
    // Entropy ln 100: sqrt(0.04) / 100 = 0.002, below each token's 0.01; epsilon alone would cut all but the best.
    expect(kept(equal(100), (scores) => truncateEta(scores, 0.04))).toHaveLength(100);
    expect(kept(equal(100), (scores) => truncateEpsilon(scores, 0.04))).toHaveLength(1);
  });
});

describe('sampleToken', () => {
  it('never ends at a token whose probability rounds to 0', () => {
    const scores = Float32Array.of(0, -2000, NEVER);
    for (const uniform of [0, 0.5, 1 - 2 ** -53]) expect(sampleToken(scores, uniform)).toBe(0);
    expect(sampleToken(Float32Array.of(NEVER, -2000, 0, NEVER), 0)).toBe(2);
    expect(sampleToken(Float32Array.of(NEVER, NEVER), 0.5)).toBe(-1);
  });
});
