import type { Decoder, EditModel, TokenSource, TopKPrediction } from '@foretoken/core';
import { bestCanvasTokens, checkOptions, fields, integer, number, type OptionTable } from '@foretoken/core/kit';
import { type EditRefinement, editDecoder } from './edit-decoder.js';
import { deleteTokens, fillPlaceholders, insertPlaceholders, isDeletable, sameTokens } from './edited-canvas.js';
import { LATTICE_SEARCH, type LatticeSearch } from './lattice-search.js';

/** Options of `insertion`. */
export interface InsertionOptions {
  /** Most iterations of a row (default 10). */
  readonly iterations?: number | undefined;
  /** Most tokens that one iteration inserts between two neighbours. */
  readonly perGap?: number | undefined;
}

/** Options of `levenshtein`. */
export interface LevenshteinOptions<Source = TokenSource> extends InsertionOptions {
  /** A model whose output is edited, where the request has no `initialOutputs`. */
  readonly initial?: LatticeSearch<Source> | undefined;
  /** Tokens are deleted whose deletion is more probable than this, from 0 to 1 (default 0.5). */
  readonly deletionThreshold?: number | undefined;
}

const INSERTION_OPTIONS: OptionTable<InsertionOptions> = { iterations: integer(1), perGap: integer(1) };
const OPTIONS: OptionTable<LevenshteinOptions<never>> = {
  ...INSERTION_OPTIONS,
  initial: fields(LATTICE_SEARCH, ['lattice', 'search']),
  deletionThreshold: number(0, 1),
};

/**
 * Levenshtein decoding: iterations of deletion, insertion of placeholders and their filling, until an iteration changes nothing (Gu
 * et al., 2019, "Levenshtein Transformer", algorithm 1), from nothing, from the request's
 * `initialOutputs`, or from another model's output.
 *
 * `perGap` is unlimited by default. Throws `INVALID_ARGUMENT`; decoding throws `LENGTH_LIMIT` where a given text does not
 * fit, `INVALID_SCORES` for scores that are not numbers, and `UNSATISFIABLE_CONSTRAINT` where no token can take the place of a
 * placeholder.
 */
export function levenshtein<Source = TokenSource>(
  options: LevenshteinOptions<Source> = {},
): Decoder<EditModel<Source>> {
  options = checkOptions<LevenshteinOptions<Source>>('levenshtein', options, OPTIONS);
  return edits('levenshtein', true, options);
}

/**
 * Insertion alone: iterations that insert tokens between those there are, by default at most one a gap, so that an output of n
 * tokens takes about log2(n) iterations, until an iteration inserts nothing.
 *
 * The parallel insertion of Stern et al. (2019, "Insertion Transformer"), except that this contract's models choose places
 * first and tokens second. Throws as `levenshtein` does.
 */
export function insertion<Source = TokenSource>(options: InsertionOptions = {}): Decoder<EditModel<Source>> {
  const { perGap = 1, iterations } = checkOptions('insertion', options, INSERTION_OPTIONS);
  return edits('insertion', false, { perGap, iterations });
}

function edits<Source>(
  name: string,
  deletes: boolean,
  options: LevenshteinOptions<Source>,
): Decoder<EditModel<Source>> {
  const { iterations = 10, perGap = Number.MAX_SAFE_INTEGER, deletionThreshold = 0.5, initial } = options;
  return editDecoder({
    name,
    initial,
    *edit(state, { placeholderTokenId, maxLength }): EditRefinement {
      const { row } = state;
      for (let iteration = 1; iteration <= iterations; iteration++) {
        const before = state.canvas;
        if (deletes && isDeletable(state.canvas)) {
          const deletions = yield { about: 'deletions', tokenIds: state.canvas.tokenIds };
          state.canvas = deleteTokens(row, state.canvas, deletions as Float32Array, deletionThreshold);
        }
        if (state.canvas.tokenIds.length < maxLength) {
          const counts = yield { about: 'placeholders', tokenIds: state.canvas.tokenIds };
          const room = { placeholderTokenId, maxLength, perGap };
          state.canvas = insertPlaceholders(row, state.canvas, counts as Int32Array, room);
        }
        const { tokenIds } = state.canvas;
        if (tokenIds.includes(placeholderTokenId)) {
          const prediction = (yield { about: 'fill', tokenIds }) as TopKPrediction;
          const proposal = bestCanvasTokens(prediction, tokenIds.length, placeholderTokenId);
          state.canvas = fillPlaceholders(row, state.canvas, proposal, placeholderTokenId);
        }
        if (sameTokens(before, state.canvas)) return;
      }
    },
  });
}
