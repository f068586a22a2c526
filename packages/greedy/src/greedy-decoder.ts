import type { AutoregressiveModel, DecodeRequest, Decoder, TokenSource } from '@foretoken/core';
import {
  assertAutoregressive,
  assertInteger,
  assertRuledDecode,
  checkOptions,
  compileRules,
  flag,
  hasRules,
  integer,
  type OptionTable,
  SCORE_RULES,
  type ScoreRules,
} from '@foretoken/core/kit';
import { ACCEPTS, decodeRows, type RowDecoding } from './decode-rows.js';
import { bestOfTopK, bestToken, pickBest, ruledToken } from './token-choice.js';

/** What a decoder of independent hypotheses reports beside the tokens. */
export interface ReportOptions {
  /** Give every hypothesis its score, the sum of natural-log probabilities, end token included (default false). */
  readonly scores?: boolean | undefined;
  /** Give every hypothesis the log-probability of each of its tokens under the model alone (default false). */
  readonly tokenLogProbs?: boolean | undefined;
  /** Report this many of the most probable tokens at each position; implies `tokenLogProbs` (default 0). */
  readonly alternatives?: number | undefined;
}

/** Options of `greedy`: what is reported, and rules on scores. */
export interface GreedyOptions extends ReportOptions, ScoreRules {}

/** How `ReportOptions` are read, for the option tables of decoders. */
export const REPORT_OPTIONS: OptionTable<ReportOptions> = {
  scores: flag,
  tokenLogProbs: flag,
  alternatives: integer(0),
};

const OPTIONS: OptionTable<GreedyOptions> = { ...REPORT_OPTIONS, ...SCORE_RULES };

/**
 * Greedy decoding: each next token is the most probable one after the rules, the lowest id among equals.
 *
 * Without rules the model's own argmax decides and nothing else is copied out of it. Rows of a batch do not influence one
 * another, and a finished row costs nothing in later forwards. Throws `INVALID_ARGUMENT`; decoding throws
 * `UNSATISFIABLE_CONSTRAINT` where the rules leave no token to choose.
 */
export function greedy<Source = TokenSource>(options: GreedyOptions = {}): Decoder<AutoregressiveModel<Source>> {
  options = checkOptions('greedy', options, OPTIONS);
  const { scores = false, alternatives = 0 } = options;
  const tokenLogProbs = (options.tokenLogProbs ?? false) || alternatives > 0;
  const logProbs = scores || tokenLogProbs;
  const alwaysRuled = hasRules(options);
  const requires = {
    model: 'autoregressive',
    outputs: [alwaysRuled ? 'logits' : logProbs ? 'topK' : 'argmax'],
    branching: false,
    rollback: false,
  } as const;
  /** What is needed where the request alone brings a rule. */
  const wide = { ...requires, outputs: ['logits'] } as const;
  return {
    name: 'greedy',
    requires,
    accepts: ACCEPTS,
    decode(model: AutoregressiveModel<Source>, request: DecodeRequest<Source>) {
      return decodeRows(model, () => prepare(model, request), performance.now());
    },
  };

  function prepare(model: AutoregressiveModel<Source>, given: DecodeRequest<Source>): RowDecoding<Source> {
    const request = assertRuledDecode({ name: 'greedy', requires, accepts: ACCEPTS }, model, given, options);
    const { vocabulary, supports } = model;
    const rules = compileRules(options, vocabulary, request);
    const ruled = rules.length > 0;
    if (ruled && !alwaysRuled) assertAutoregressive({ name: 'greedy', requires: wide }, model);
    const max = ruled ? vocabulary.size : Math.min(vocabulary.size, supports.maxCandidates);
    if (alternatives > 0) assertInteger('alternatives', alternatives, 1, max);
    const choice = ruled
      ? ruledToken(vocabulary.size, rules, pickBest, { logProbs, alternatives })
      : logProbs
        ? bestOfTopK(alternatives)
        : bestToken;
    return { request, choice, hypotheses: 1, scores, tokenLogProbs };
  }
}
