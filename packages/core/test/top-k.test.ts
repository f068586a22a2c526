import { argmax, logSoftmax, logSumExp, sampleToken, topK } from '@foretoken/core/kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const scores = fc
  .array(fc.oneof(fc.integer({ min: -4, max: 4 }), fc.constant(Number.NEGATIVE_INFINITY)), {
    minLength: 1,
    maxLength: 40,
  })
  .map((values) => Float32Array.from(values));

/** Best first, the lower index first among equals: a plain sort. */
const sorted = (values: Float32Array): number[] =>
  Array.from(values.keys())
    .filter((index) => values[index] !== Number.NEGATIVE_INFINITY)
    .sort((a, b) => values[b] - values[a] || a - b);

describe('topK and argmax', () => {
  it('equal a full sort, ties and ruled-out scores included', () => {
    fc.assert(
      fc.property(scores, fc.integer({ min: 1, max: 50 }), (values, k) => {
        expect([...topK(values, k)]).toEqual(sorted(values).slice(0, k));
        expect(argmax(values)).toBe(sorted(values)[0] ?? -1);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('log-softmax', () => {
  it('sums to one, keeps differences, and survives scores that would overflow', () => {
    fc.assert(
      fc.property(scores, fc.constantFrom(0, 1e4, -1e4), (values, shift) => {
        const moved = values.map((value) => value + shift);
        const logProbs = logSoftmax(moved);
        if (logSumExp(moved) === Number.NEGATIVE_INFINITY) return;
        expect(logProbs.reduce((sum, logProb) => sum + Math.exp(logProb), 0)).toBeCloseTo(1, 9);
        const [first, second] = sorted(values);
        if (first === undefined || second === undefined) return;
        const difference = values[first] - values[second];
        expect(logProbs[first] - logProbs[second]).toBeCloseTo(difference, 9);
      }),
    );
  });
});

describe('sampleToken', () => {
  it('inverts the cumulative distribution in order of token ids', () => {
    const values = Float32Array.of(Math.log(0.5), Number.NEGATIVE_INFINITY, Math.log(0.25), Math.log(0.25));
    expect([0, 0.49, 0.51, 0.74, 0.76, 1 - 2 ** -53].map((uniform) => sampleToken(values, uniform))).toEqual([
      0, 0, 2, 2, 3, 3,
    ]);
    expect(sampleToken(Float32Array.of(Number.NEGATIVE_INFINITY), 0.5)).toBe(-1);
  });
});
