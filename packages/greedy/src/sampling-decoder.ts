import {
  type AutoregressiveModel,
  type DecodeRequest,
  type Decoder,
  ForetokenError,
  type TokenSource,
} from '@foretoken/core';
import {
  assertAutoregressive,
  assertInteger,
  assertRuledDecode,
  checkOptions,
  compileRules,
  hasRules,
  integer,
  type OptionTable,
  RandomStream,
  SCORE_RULES,
  type ScoreRules,
} from '@foretoken/core/kit';
import { ACCEPTS, decodeRows, type RowDecoding } from './decode-rows.js';
import { REPORT_OPTIONS, type ReportOptions } from './greedy-decoder.js';
import { pickBest, pickedFromTopK, ruledToken } from './token-choice.js';
import { assertTruncation, randomPick, TRUNCATION_OPTIONS, type TruncationOptions } from './truncated-sampling.js';

/** Options of `sampling`: how many outputs, how they are drawn, what is reported, and rules on scores. */
export interface SamplingOptions extends ReportOptions, ScoreRules, TruncationOptions {
  /** Hypotheses a row, drawn independently (default 1). They share the prefix, and are ranked only if `scores` is set. */
  readonly hypotheses?: number | undefined;
}

const OPTIONS: OptionTable<SamplingOptions> = {
  ...REPORT_OPTIONS,
  ...SCORE_RULES,
  ...TRUNCATION_OPTIONS,
  hypotheses: integer(1, 4096),
};

/**
 * Sampling: each next token is drawn at random from the model's distribution after the rules, the temperature and the
 * truncations, in this order: rules as `ScoreRules` lists them, temperature, top-k, top-p, min-p, typical, epsilon, eta.
 *
 * The request's `seed` and a row's source fix all of its choices, whatever batch it is in. Throws `INVALID_ARGUMENT`, also
 * for options that contradict one another; decoding throws `UNSATISFIABLE_CONSTRAINT` where the rules leave no token.
 */
export function sampling<Source = TokenSource>(options: SamplingOptions = {}): Decoder<AutoregressiveModel<Source>> {
  options = checkOptions('sampling', options, OPTIONS);
  const { scores = false, alternatives = 0, hypotheses = 1, temperature = 1 } = options;
  const tokenLogProbs = (options.tokenLogProbs ?? false) || alternatives > 0;
  const wanted = { logProbs: scores || tokenLogProbs, alternatives };
  assertTruncation(options);
  if (temperature === 0 && hypotheses > 1) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `temperature 0 always chooses the most probable token, so ${hypotheses} hypotheses would be equal. Raise one or ask for one.`,
      { option: 'hypotheses', received: hypotheses, temperature },
    );
  }
  // A top-k truncation of the model's own scores needs no more of them than k.
  const few = options.topK !== undefined && !hasRules(options);
  const requires = {
    model: 'autoregressive',
    outputs: [few ? 'topK' : 'logits'],
    branching: hypotheses > 1,
    rollback: hypotheses > 1,
  } as const;
  /** What is needed where more tokens are wanted than the model's top-k head gives, or the request brings a rule. */
  const wide = { ...requires, outputs: ['logits'] } as const;
  return {
    name: 'sampling',
    requires,
    accepts: ACCEPTS,
    decode(model: AutoregressiveModel<Source>, request: DecodeRequest<Source>) {
      return decodeRows(model, () => prepare(model, request), performance.now());
    },
  };

  function prepare(model: AutoregressiveModel<Source>, given: DecodeRequest<Source>): RowDecoding<Source> {
    const request = assertRuledDecode({ name: 'sampling', requires, accepts: ACCEPTS }, model, given, options);
    const { vocabulary, supports } = model;
    if (alternatives > 0) assertInteger('alternatives', alternatives, 1, vocabulary.size);
    const streams = request.sources.map((source) => new RandomStream(request.seed ?? 0, source));
    const pick = temperature === 0 ? pickBest : randomPick(options, streams);
    const k = Math.min(options.topK ?? 0, vocabulary.size);
    const rules = compileRules(options, vocabulary, request);
    const fits = few && rules.length === 0 && Math.max(k, alternatives) <= supports.maxCandidates;
    if (few && !fits) assertAutoregressive({ name: 'sampling', requires: wide }, model);
    const choice = fits ? pickedFromTopK(k, pick, wanted) : ruledToken(vocabulary.size, rules, pick, wanted);
    return { request, choice, hypotheses, scores, tokenLogProbs };
  }
}
