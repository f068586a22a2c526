import type { AutoregressiveModel, DecodeRequest, Decoder, Requirements, TokenSource } from '@foretoken/core';
import {
  assertRuledDecode,
  checkOptions,
  compileRules,
  flag,
  integer,
  type OptionTable,
  RandomStream,
  SCORE_RULES,
  type ScoreRules,
} from '@foretoken/core/kit';
import type { SearchStart } from './branch.js';
import { ACCEPTS, type Search, searchRows } from './search-loop.js';
import { StochasticRow } from './stochastic-row.js';

/** Options of `stochasticBeam`. */
export interface StochasticBeamOptions extends ScoreRules {
  /** Sequences to draw (default 4). */
  readonly beamSize?: number | undefined;
  /** Report the natural-log probability of each token under the model alone, as `tokenLogProbs` (default false). */
  readonly tokenLogProbs?: boolean | undefined;
}

const NAME = 'stochastic-beam';
const OPTIONS: OptionTable<StochasticBeamOptions> = {
  ...SCORE_RULES,
  beamSize: integer(1, 4096),
  tokenLogProbs: flag,
};
const REQUIRES: Requirements = { model: 'autoregressive', outputs: ['logProbs'], branching: true, rollback: true };

/**
 * Stochastic beam search: `beamSize` different outputs, drawn without replacement from the model's distribution over whole
 * sequences after the rules (Kool et al., 2019).
 *
 * All are returned, in the order in which they were drawn: `score` is the perturbed log-probability that fixes it,
 * `logProb` the sum of natural-log probabilities. The request's `seed` and a row's source fix the draw. Throws
 * `INVALID_ARGUMENT`.
 */
export function stochasticBeam<Source = TokenSource>(
  options: StochasticBeamOptions = {},
): Decoder<AutoregressiveModel<Source>> {
  options = checkOptions('stochasticBeam', options, OPTIONS);
  const { beamSize = 4, tokenLogProbs } = options;
  return {
    name: NAME,
    requires: REQUIRES,
    accepts: ACCEPTS,
    decode(model: AutoregressiveModel<Source>, request: DecodeRequest<Source>) {
      return searchRows(model, () => prepare(model, request), performance.now());
    },
  };

  function prepare(model: AutoregressiveModel<Source>, given: DecodeRequest<Source>): Search<Source> {
    const request = assertRuledDecode({ name: NAME, requires: REQUIRES, accepts: ACCEPTS }, model, given, options);
    const start = (from: SearchStart): StochasticRow => {
      const stream = new RandomStream(request.seed ?? 0, request.sources[from.root.row]);
      return new StochasticRow(from, beamSize, stream);
    };
    const rules = compileRules(options, model.vocabulary, request);
    return { request, start, candidates: 1, all: true, rules, tokenLogProbs };
  }
}
