import { assertNumber, ForetokenError } from '@foretoken/core';

/** How scores of hypotheses of different lengths are made comparable; lengths count the end token. */
export interface LengthPenaltyOptions {
  /** Exponent of the length (default 1): 0 ranks by plain log-probability, more favours longer outputs. */
  readonly lengthPenalty?: number;
  /**
   * What is raised to that power: `power` the length itself (default; as in Hugging Face and CTranslate2), `gnmt`
   * (5 + length) / 6 (Wu et al., 2016, section 7).
   */
  readonly lengthNormalisation?: 'power' | 'gnmt';
}

/** Score of a hypothesis by its natural-log probability and its length, the end token counted. */
export type Normalise = (logProb: number, length: number) => number;

/** Throws `INVALID_ARGUMENT`. */
export function lengthNormaliser(options: LengthPenaltyOptions): Normalise {
  const { lengthPenalty = 1, lengthNormalisation = 'power' } = options;
  assertNumber('lengthPenalty', lengthPenalty, -10, 10);
  switch (lengthNormalisation) {
    case 'power':
      return (logProb, length) => logProb / length ** lengthPenalty;
    case 'gnmt':
      return (logProb, length) => logProb / ((5 + length) / 6) ** lengthPenalty;
    default:
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `lengthNormalisation must be power or gnmt, but was ${String(lengthNormalisation)}.`,
        { option: 'lengthNormalisation', received: lengthNormalisation },
      );
  }
}
