import {
  type AutoregressiveModel,
  type DecodeRequest,
  type Decoder,
  ForetokenError,
  type Requirements,
  type TokenSource,
} from '@foretoken/core';
import {
  assertInteger,
  assertRuledDecode,
  checkOptions,
  flag,
  integer,
  number,
  type OptionTable,
  ofRow,
} from '@foretoken/core/kit';
import type { SearchStart } from './branch.js';
import { ContrastiveRow } from './contrastive-row.js';
import { ACCEPTS, type Search, searchRows } from './search-loop.js';

/** Options of `contrastiveSearch`. */
export interface ContrastiveSearchOptions {
  /** Most probable tokens weighed at each step (the paper's k, default 4). */
  readonly candidates?: number | undefined;
  /** How much likeness to earlier hidden states counts against probability, 0 to 1 (the paper's alpha, default 0.6). */
  readonly penalty?: number | undefined;
  /** Report the natural-log probability of each token, as `tokenLogProbs` (default false). */
  readonly tokenLogProbs?: boolean | undefined;
}

const NAME = 'contrastive-search';
const OPTIONS: OptionTable<ContrastiveSearchOptions> = {
  candidates: integer(1, 4096),
  penalty: number(0, 1),
  tokenLogProbs: flag,
};
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
 * greedy. `score` is the sum of natural-log probabilities. Before `minNewTokens` the end token is no candidate, and the next best
 * token is; probabilities stay the model's own. Throws `INVALID_ARGUMENT`.
 */
export function contrastiveSearch<Source = TokenSource>(
  options: ContrastiveSearchOptions = {},
): Decoder<AutoregressiveModel<Source>> {
  options = checkOptions('contrastiveSearch', options, OPTIONS);
  const { candidates = 4, penalty = 0.6, tokenLogProbs = false } = options;
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
    const { vocabulary, supports } = model;
    // More than there are tokens are all of them.
    if (supports.maxCandidates < vocabulary.size) assertInteger('candidates', candidates, 1, supports.maxCandidates);
    const longer = vocabulary.endTokenId !== undefined && request.sources.some((_, row) => minOf(request, row) > 0);
    // One takes the place of the end token where that is no candidate.
    const read = Math.min(candidates + (longer ? 1 : 0), vocabulary.size);
    if (read > supports.maxCandidates) {
      throw new ForetokenError(
        'UNSUPPORTED_CAPABILITY',
        `With minNewTokens contrastive search reads one candidate more, ${read}, but the model gives at most ${supports.maxCandidates}. Lower candidates to ${candidates - 1}, or leave out minNewTokens.`,
        {
          decoder: NAME,
          capability: 'maxCandidates',
          option: 'candidates',
          received: read,
          max: supports.maxCandidates,
        },
      );
    }
    const start = ({ root, bounds }: SearchStart): ContrastiveRow => {
      // The last token is fed too, so it needs room that greedy leaves unused.
      const { row, prefix, length } = root;
      const room = Math.min(bounds.max, model.maxLength - prefix.length);
      if (room <= length) {
        throw new ForetokenError(
          'LENGTH_LIMIT',
          `Contrastive search feeds every token it chooses; row ${row} has room for ${Math.max(room, 0)} and begins with ${length}.`,
          { row, received: length, max: room },
        );
      }
      if (bounds.min > room) {
        throw new ForetokenError(
          'INVALID_ARGUMENT',
          `minNewTokens is ${minOf(request, row)}, but the output of row ${row} has room for ${room - length} new tokens.`,
          { option: 'minNewTokens', row, received: minOf(request, row), max: room - length },
        );
      }
      return new ContrastiveRow({ root, bounds: bounds.limitedTo(room) }, { candidates, penalty, tokenLogProbs });
    };
    return { request, start, candidates: read, all: false, states: true, rules: [], tokenLogProbs };
  }
}

/** Least new tokens of a row. */
function minOf({ minNewTokens }: DecodeRequest<unknown>, row: number): number {
  return ofRow(minNewTokens, row) ?? 0;
}
