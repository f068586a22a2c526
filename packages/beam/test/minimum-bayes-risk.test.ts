import { ForetokenError } from '@foretoken/core';
import { sentenceChrf } from '@foretoken/metrics';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { minimumBayesRisk, probabilitiesOf } from '../src/minimum-bayes-risk.js';

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(ForetokenError);
    return (error as ForetokenError).code;
  }
  throw new Error('nothing was thrown');
}

/** Candidates by name, whole-number weights of which one is not zero, and a whole-number utility for each pair. */
const PROBLEM = fc.integer({ min: 1, max: 7 }).chain((count) =>
  fc.record({
    candidates: fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: count, maxLength: count }),
    weights: fc
      .array(fc.nat({ max: 5 }), { minLength: count, maxLength: count })
      .map((weights) => (weights.every((weight) => weight === 0) ? weights.map(() => 1) : weights)),
    table: fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 16, maxLength: 16 }),
  }),
);

function lookup(table: readonly number[]): (hypothesis: string, reference: string) => number {
  const place = (name: string) => 'abcd'.indexOf(name);
  return (hypothesis, reference) => table[4 * place(hypothesis) + place(reference)];
}

describe('minimumBayesRisk', () => {
  it('ranks as a sum over every pair of candidates does', () => {
    fc.assert(
      fc.property(PROBLEM, ({ candidates, weights, table }) => {
        const utility = lookup(table);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const sums = candidates.map((hypothesis) =>
          candidates.reduce((sum, reference, index) => sum + weights[index] * utility(hypothesis, reference), 0),
        );
        const order = candidates.map((_, index) => index).sort((x, y) => sums[y] - sums[x] || x - y);
        const ranked = minimumBayesRisk(candidates, utility, { weights });
        expect(ranked.map(({ index }) => index)).toEqual(order);
        for (const { index, expectedUtility } of ranked) expect(expectedUtility).toBeCloseTo(sums[index] / total, 10);
      }),
    );
  });

  it('takes weights up to a factor, and equal weights for none', () => {
    fc.assert(
      fc.property(PROBLEM, ({ candidates, weights, table }) => {
        const utility = lookup(table);
        const ranked = minimumBayesRisk(candidates, utility, { weights });
        const scaled = weights.map((weight) => weight * 8);
        expect(minimumBayesRisk(candidates, utility, { weights: scaled })).toEqual(ranked);
        const alike = candidates.map(() => 3);
        expect(minimumBayesRisk(candidates, utility, { weights: alike })).toEqual(
          minimumBayesRisk(candidates, utility),
        );
      }),
    );
  });

  it('prefers what the others agree with to what is most probable', () => {
    // Shared letters: each of the first two agrees with the other in two places, the third with nobody.
    const agreement = (left: string, right: string) => [...left].filter((letter, at) => letter === right[at]).length;
    const weights = [0.3, 0.3, 0.4];
    const ranked = minimumBayesRisk(['abc', 'abd', 'xyz'], agreement, { weights });
    // 0.3 * 3 + 0.3 * 2 for both; 0.4 * 3 for the third.
    expect(ranked.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(ranked[0].expectedUtility).toBeCloseTo(1.5, 12);
    expect(ranked[1].expectedUtility).toBe(ranked[0].expectedUtility);
    expect(ranked[2].expectedUtility).toBeCloseTo(1.2, 12);
  });

  it('calls a utility that is not symmetric with the hypothesis first', () => {
    const better = (hypothesis: number, reference: number) => (hypothesis > reference ? 1 : 0);
    expect(minimumBayesRisk([1, 3, 2], better).map(({ index }) => index)).toEqual([1, 2, 0]);
  });

  it('scores equal strings once, and nothing against references of weight zero', () => {
    fc.assert(
      fc.property(PROBLEM, ({ candidates, weights, table }) => {
        const calls: string[] = [];
        const utility = lookup(table);
        minimumBayesRisk(
          candidates,
          (hypothesis, reference) => {
            calls.push(`${hypothesis}${reference}`);
            return utility(hypothesis, reference);
          },
          { weights },
        );
        const references = new Set(candidates.filter((_, index) => weights[index] > 0));
        const pairs = [...new Set(candidates)].flatMap((left) => [...references].map((right) => `${left}${right}`));
        expect(calls.sort()).toEqual(pairs.sort());
      }),
    );
  });

  it('takes sentence scores for utilities', () => {
    const candidates = ['Ein Hund läuft.', 'Zwei Katzen', 'Ein Hund rennt.', 'Ein Hund läuft.'];
    const [best] = minimumBayesRisk(candidates, sentenceChrf);
    expect(best.index).toBe(0);
    const scores = candidates.map((reference) => sentenceChrf(candidates[0], reference));
    expect(best.expectedUtility).toBeCloseTo(scores.reduce((sum, score) => sum + score, 0) / 4, 9);
  });

  it('refuses what cannot be ranked', () => {
    const one = () => 1;
    expect(codeOf(() => minimumBayesRisk([], one))).toBe('INVALID_ARGUMENT');
    for (const weights of [[1], [1, -1], [1, Number.NaN], [1, Number.POSITIVE_INFINITY], [0, 0], [1e308, 1e308]]) {
      expect(codeOf(() => minimumBayesRisk(['a', 'b'], one, { weights }))).toBe('INVALID_ARGUMENT');
    }
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(codeOf(() => minimumBayesRisk(['a', 'b'], () => value))).toBe('INVALID_ARGUMENT');
    }
  });

  it('says which weight is wrong', () => {
    expect(() => minimumBayesRisk(['a', 'b'], () => 1, { weights: [1, -2] })).toThrow(/weights\[1\].*-2/);
  });

  it('neither overflows nor vanishes', () => {
    const ranked = (utility: (one: string, other: string) => number, weights?: readonly number[]) =>
      minimumBayesRisk(['a', 'b'], utility, weights && { weights });
    const ofB = (one: string) => (one === 'b' ? 0.4 : 0.1);
    for (const weight of [Number.MIN_VALUE, 1e-300, 1, 1e300, 8e307]) {
      const [first, second] = ranked(ofB, [weight, weight]);
      expect([first?.index, second?.index]).toEqual([1, 0]);
      expect(first?.expectedUtility).toBeCloseTo(0.4, 12);
      expect(second?.expectedUtility).toBeCloseTo(0.1, 12);
    }
    expect(ranked((one) => 100 * ofB(one), [1e308, 1])[0]?.expectedUtility).toBeCloseTo(40, 9);
    const [best, worst] = ranked((one) => (one === 'b' ? 1.7e308 : -1.7e308));
    expect(best).toEqual({ index: 1, expectedUtility: 1.7e308 });
    expect(worst).toEqual({ index: 0, expectedUtility: -1.7e308 });
  });
});

describe('probabilitiesOf', () => {
  const LOG_PROBS = fc.array(fc.double({ min: -30, max: 0, noNaN: true }), { minLength: 1, maxLength: 6 });

  it('is each exponential over the sum of all', () => {
    fc.assert(
      fc.property(LOG_PROBS, fc.double({ min: 0.2, max: 5, noNaN: true }), (logProbs, temperature) => {
        const powers = logProbs.map((logProb) => Math.exp(logProb / temperature));
        const sum = powers.reduce((left, right) => left + right, 0);
        const probabilities = probabilitiesOf(logProbs, temperature);
        for (const [index, power] of powers.entries()) expect(probabilities[index]).toBeCloseTo(power / sum, 12);
      }),
    );
  });

  it('gives back probabilities from their natural logarithms', () => {
    const probabilities = probabilitiesOf([Math.log(0.5), Math.log(0.2), Number.NEGATIVE_INFINITY, Math.log(0.3)]);
    for (const [index, expected] of [0.5, 0.2, 0, 0.3].entries()) {
      expect(probabilities[index]).toBeCloseTo(expected, 12);
    }
  });

  it('neither overflows nor vanishes', () => {
    expect(probabilitiesOf([-1e5, -1e5])).toEqual([0.5, 0.5]);
    expect(probabilitiesOf([-1, -2], 1e-308)).toEqual([1, 0]);
  });

  it('refuses what is no distribution', () => {
    for (const logProbs of [[], [Number.NEGATIVE_INFINITY], [0, Number.NaN], [Number.POSITIVE_INFINITY]]) {
      expect(codeOf(() => probabilitiesOf(logProbs))).toBe('INVALID_ARGUMENT');
    }
    for (const temperature of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(codeOf(() => probabilitiesOf([0], temperature))).toBe('INVALID_ARGUMENT');
    }
  });

  it('refuses arrays of holes at the first one, however long they say they are', () => {
    const holes = new Array<string>(1e9);
    expect(codeOf(() => minimumBayesRisk(holes, () => 1))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => minimumBayesRisk(['a'], () => 1, { weights: new Array<number>(1e9) }))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(codeOf(() => probabilitiesOf(new Array<number>(1e9)))).toBe('INVALID_ARGUMENT');
  });
});
