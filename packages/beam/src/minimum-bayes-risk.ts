import { ForetokenError } from '@foretoken/core';
import {
  anything,
  callback,
  checkOptions,
  isPromise,
  listOf,
  logSoftmax,
  number,
  type OptionReader,
  type OptionTable,
  show,
  wrongValue,
} from '@foretoken/core/kit';

/** Options of `minimumBayesRisk`. */
export interface MinimumBayesRiskOptions {
  /** How probable each candidate is, `[candidates]`, up to a common factor; default all alike, as for samples. */
  readonly weights?: readonly number[] | undefined;
}

const OPTIONS: OptionTable<MinimumBayesRiskOptions> = { weights: listOf(number(0, Number.MAX_VALUE)) };

/** Refuses holes at the first one: an array of nothing but holes may be longer than memory. */
const readCandidate: OptionReader<unknown> = (name, value) => {
  if (value !== undefined) return value;
  throw wrongValue(name, value, 'a candidate');
};

const readLogProb: OptionReader<number> = (name, value) => {
  if (typeof value === 'number' && value < Number.POSITIVE_INFINITY) return value;
  throw wrongValue(name, value, 'a finite number or -Infinity');
};

/** A candidate's place in the list it came from, and its utility in expectation over the candidates. */
export interface RankedCandidate {
  /** Its place in the list of candidates. */
  readonly index: number;
  /** Mean utility against the candidates, each by its weight. */
  readonly expectedUtility: number;
}

/**
 * Ranks candidates by expected utility, best first, the lower index among equals: the candidates stand in for the model's
 * distribution, each as hypothesis and as reference (Kumar and Byrne, 2004, section 2; Eikema and Aziz, 2020, section 6).
 *
 * The utility is called once for each ordered pair of distinct candidates, each with itself too (by identity, strings by content), and not for
 * references of weight zero. Throws `INVALID_ARGUMENT` for no candidates, weights that are not a distribution up to a
 * factor, and utilities that are not finite.
 */
export function minimumBayesRisk<Candidate>(
  givenCandidates: readonly Candidate[],
  utility: (hypothesis: Candidate, reference: Candidate) => number,
  options: MinimumBayesRiskOptions = {},
): readonly RankedCandidate[] {
  const { weights: given } = checkOptions('minimumBayesRisk', options, OPTIONS);
  const candidates = listOf(readCandidate)('candidates', givenCandidates) as readonly Candidate[];
  callback(anything)('utility', utility);
  if (candidates.length === 0) {
    throw new ForetokenError('INVALID_ARGUMENT', 'There are no candidates to rank; at least one is required.', {
      option: 'candidates',
    });
  }
  const told = given ?? candidates.map(() => 1);
  assertTotal(told, candidates.length);
  const weights = scaled(told);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const weightOf = new Map<Candidate, number>();
  for (const [index, candidate] of candidates.entries()) {
    weightOf.set(candidate, (weightOf.get(candidate) ?? 0) + weights[index]);
  }
  const expectedOf = (hypothesis: Candidate): number => {
    let sum = 0;
    // Cannot overflow, since it never leaves the range of the utilities.
    let mean = 0;
    for (const [reference, weight] of weightOf) {
      if (weight === 0) continue;
      const value = finite(utility(hypothesis, reference), hypothesis, reference);
      sum += weight * value;
      mean += (weight / total) * value;
    }
    // Divided once at the end, so that equal sums of whole numbers remain equal.
    return Number.isFinite(sum) ? sum / total : mean;
  };
  const expected = new Map<Candidate, number>();
  return (
    candidates
      .map((candidate, index) => {
        const expectedUtility = expected.get(candidate) ?? expectedOf(candidate);
        expected.set(candidate, expectedUtility);
        return { index, expectedUtility };
      })
      // Array sort is stable: equal utilities keep the order of the candidates.
      .sort((left, right) => right.expectedUtility - left.expectedUtility)
  );
}

/**
 * Probabilities, `[count]`, of an n-best list from its natural-log probabilities, renormalised over the list; a
 * `temperature` above 1 flattens them, one below 1 sharpens them. `-Infinity` has probability 0.
 *
 * Throws `INVALID_ARGUMENT`.
 */
export function probabilitiesOf(givenLogProbs: readonly number[], temperature = 1): number[] {
  if (!(typeof temperature === 'number' && temperature > 0 && temperature < Number.POSITIVE_INFINITY)) {
    throw wrongValue('temperature', temperature, 'a finite number above 0');
  }
  const logProbs = listOf(readLogProb)('logProbs', givenLogProbs);
  const max = logProbs.reduce((left, right) => Math.max(left, right), Number.NEGATIVE_INFINITY);
  if (max === Number.NEGATIVE_INFINITY) {
    throw new ForetokenError('INVALID_ARGUMENT', 'logProbs needs at least one entry above -Infinity, but has none.', {
      option: 'logProbs',
      received: logProbs,
    });
  }
  // The greatest is taken off first: divided by a small temperature it could overflow.
  return Array.from(logSoftmax(logProbs.map((logProb) => (logProb - max) / temperature)), Math.exp);
}

/** Weights far from 1, times a power of two, which changes no ratio: products with utilities would overflow or vanish. */
function scaled(weights: readonly number[]): readonly number[] {
  const max = weights.reduce((left, right) => Math.max(left, right), 0);
  const factor = max > 2 ** 500 ? 2 ** -520 : max < 2 ** -500 ? 2 ** 520 : 1;
  return factor === 1 ? weights : weights.map((weight) => weight * factor);
}

/** Throws unless the weights are a distribution up to a factor. */
function assertTotal(weights: readonly number[], required: number): void {
  if (weights.length !== required) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `weights must have one entry a candidate, ${required}, but has ${weights.length}.`,
      { option: 'weights', received: weights.length, required },
    );
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0 && total < Number.POSITIVE_INFINITY)) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `weights must sum to a finite number above 0, but sum to ${total}. Give at least one candidate a weight.`,
      { option: 'weights', received: total },
    );
  }
}

function finite(utility: number, hypothesis: unknown, reference: unknown): number {
  if (Number.isFinite(utility)) return utility;
  if (isPromise(utility)) throw wrongValue('What utility returns', utility, 'a finite number');
  throw new ForetokenError('INVALID_ARGUMENT', `utility must return a finite number, but returned ${show(utility)}.`, {
    option: 'utility',
    received: utility,
    hypothesis,
    reference,
  });
}
