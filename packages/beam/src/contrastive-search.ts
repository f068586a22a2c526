import {
  type AutoregressiveModel,
  type DecodeRequest,
  type Decoder,
  ForetokenError,
  type OptionalField,
  type Requirements,
  type TokenSource,
} from '@foretoken/core';
import { assertInteger, assertRuledDecode, checkOptions, integer, number, type OptionTable } from '@foretoken/core/kit';
import type { SearchStart } from './branch.js';
import { ContrastiveRow } from './contrastive-row.js';
import { type Search, searchRows } from './search-loop.js';

/** Options of `contrastiveSearch`. */
export interface ContrastiveSearchOptions {
  /** Most probable tokens weighed at each step (the paper's k, default 4). */
  readonly candidates?: number | undefined;
  /** How much likeness to earlier hidden states counts against probability, 0 to 1 (the paper's alpha, default 0.6). */
  readonly penalty?: number | undefined;
}

const NAME = 'contrastive-search';
/** It has no rules, so it cannot keep the end token from being chosen. */
const ACCEPTS: readonly OptionalField[] = ['outputPrefixes'];
const OPTIONS: OptionTable<ContrastiveSearchOptions> = { candidates: integer(1, 4096), penalty: number(0, 1) };
const REQUIRES: Requirements = {
  model: 'autoregressive',
  outputs: ['topK'],
  states: true,
  branching: true,
  rollback: true,
};

/**
 * Contrastive search: each token is the best balance of probability and of a hidden state unlike all before it, which
 * keeps outputs from repeating themselves (Su et al., 2022). Deterministic; with penalty 0 it is greedy.
 *
 * Every step feeds all candidates in one forward, as children of one node; the output's end costs one forward more than
 * greedy. `score` is the sum of natural-log probabilities. Throws `INVALID_ARGUMENT`.
 */
export function contrastiveSearch<Source = TokenSource>(
  options: ContrastiveSearchOptions = {},
): Decoder<AutoregressiveModel<Source>> {
  const { candidates = 4, penalty = 0.6 } = checkOptions('contrastiveSearch', options, OPTIONS);
  return {
    name: NAME,
    requires: REQUIRES,
    accepts: ACCEPTS,
    decode(model: AutoregressiveModel<Source>, request: DecodeRequest<Source>) {
      return searchRows(model, () => prepare(model, request), performance.now());
    },
  };

  function prepare(model: AutoregressiveModel<Source>, given: DecodeRequest<Source>): Search<Source> {
    const request = assertRuledDecode({ name: NAME, requires: REQUIRES, accepts: ACCEPTS }, model, given, {});
    assertInteger('candidates', candidates, 1, Math.min(model.supports.maxCandidates, model.vocabulary.size));
    const start = ({ root, bounds }: SearchStart): ContrastiveRow => {
      // The last token is fed too, so it needs room that greedy leaves unused.
      const { row, prefix, length } = root;
      const room = Math.min(bounds.limit, model.maxLength - prefix.length);
      if (room <= length) {
        throw new ForetokenError(
          'LENGTH_LIMIT',
          `Contrastive search feeds every token it chooses; row ${row} has room for ${Math.max(room, 0)} and begins with ${length}.`,
          { row, received: length, max: room },
        );
      }
      return new ContrastiveRow({ root, bounds: bounds.limitedTo(room) }, { penalty });
    };
    return { request, start, candidates, all: false, states: true, rules: [] };
  }
}
