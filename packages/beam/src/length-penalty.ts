import { number, type OptionTable, oneOf } from '@foretoken/core/kit';

/**
 * How scores of hypotheses of different lengths are made comparable; lengths count the end token and what a model forces
 * (`AutoregressiveModel.forcedTokens`, such as a language), as transformers counts its `forced_bos_token_id` and CTranslate2 its
 * `target_prefix`, but no other tokens that the output was made to begin with, as with `decoder_input_ids`.
 */
export interface LengthPenaltyOptions {
  /** Exponent of the length (default 1): 0 ranks by plain log-probability, more favours longer outputs. */
  readonly lengthPenalty?: number | undefined;
  /**
   * What is raised to that power: `power` the length itself (default; as in Hugging Face and CTranslate2), `gnmt`
   * (5 + length) / 6 (Wu et al., 2016, section 7).
   */
  readonly lengthNormalisation?: 'power' | 'gnmt' | undefined;
}

export const LENGTH_PENALTY_OPTIONS: OptionTable<LengthPenaltyOptions> = {
  lengthPenalty: number(-10, 10),
  lengthNormalisation: oneOf('power', 'gnmt'),
};

/** Score of a hypothesis by its natural-log probability and its length, the end token counted. */
export type Normalise = (logProb: number, length: number) => number;

export function lengthNormaliser(options: LengthPenaltyOptions): Normalise {
  const { lengthPenalty = 1, lengthNormalisation = 'power' } = options;
  return lengthNormalisation === 'power'
    ? (logProb, length) => logProb / length ** lengthPenalty
    : (logProb, length) => logProb / ((5 + length) / 6) ** lengthPenalty;
}
