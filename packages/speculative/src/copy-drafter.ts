import type { Drafter, DraftRequest, DraftSession, DraftTree, TokenSource, Vocabulary } from '@foretoken/core';
import {
  assertTokenSources,
  callback,
  checkOptions,
  EMPTY_DRAFT,
  lengthOf,
  type OptionTable,
  oneOf,
  vocabulary as readVocabulary,
  text,
  tokens,
  wrongValue,
} from '@foretoken/core/kit';
import { CopiedText } from './copied-text.js';
import { CopyRow } from './copy-row.js';

import { DraftingTimes } from './drafting-times.js';
import { TokenPieces } from './token-pieces.js';

/** Options of `copyDrafter`. */
export interface CopyDrafterOptions<Source> {
  /** The target's vocabulary. */
  readonly vocabulary: Vocabulary;
  /**
   * A token as the vocabulary spells it, spaces included, such as `tokenText` of a tokenizer; empty for a token without text.
   * Output and text are then compared by characters; without it they are compared by tokens.
   */
  readonly tokenText?: ((tokenId: number) => string) | undefined;
  /**
   * What the output of a source will mostly copy, as token ids of the target's vocabulary: an earlier output, a text to edit, a
   * text that simple rules have improved. Default: the source itself.
   */
  readonly from?: ((source: Source, row: number) => Int32Array) | undefined;
  /**
   * `chain` (default) goes on from the most probable place in the text, `tree` also from others after an edit, as if a token
   * had been put in, left out or replaced.
   */
  readonly shape?: 'tree' | 'chain' | undefined;
}

const NAME = 'copy';
const OPTIONS: OptionTable<CopyDrafterOptions<unknown>> = {
  vocabulary: readVocabulary,
  tokenText: callback(text),
  from: callback(tokens()),
  shape: oneOf('tree', 'chain'),
};

/** Places in the text that a tree goes on from, at most. */
const TREE_PLACES = 3;

/**
 * Drafts without a model, for outputs that copy a text with edits (Ge et al., 2022, "Lossless Acceleration for Seq2seq
 * Generation with Aggressive Decoding"): all that follows where the output stands. After each round an alignment of output and
 * text finds that place again, whatever was put in, left out, replaced, joined or split.
 *
 * Throws `INVALID_ARGUMENT`, also when it is opened for sources that are no token ids and `from` is not given.
 */
export function copyDrafter<Source = TokenSource>(options: CopyDrafterOptions<Source>): Drafter<Source> {
  options = checkOptions<CopyDrafterOptions<Source>>('copyDrafter', options, OPTIONS, ['vocabulary']);
  const { vocabulary, tokenText, from, shape = 'chain' } = options;
  const pieces = new TokenPieces(vocabulary, tokenText);
  const places = shape === 'tree' ? TREE_PLACES : 1;
  const times = new DraftingTimes();
  return {
    name: NAME,
    vocabulary,
    get costs() {
      return times.costs;
    },
    async open(sources) {
      const began = performance.now();
      const rows = textsOf(sources, vocabulary, from).map(
        (tokenIds) => new CopyRow(new CopiedText(tokenIds, pieces), pieces),
      );
      times.opened(performance.now() - began, sources.length);
      return new CopySession(rows, places, times);
    },
  };
}

/** What each output may copy, without tokens that no draft holds. */
function textsOf<Source>(
  sources: readonly Source[],
  { size, endTokenId, padTokenId }: Vocabulary,
  from: CopyDrafterOptions<Source>['from'],
): Int32Array[] {
  if (lengthOf(sources) === undefined) throw wrongValue('sources', sources, 'an array of sources');
  const texts: readonly unknown[] = from === undefined ? sources : sources.map((source, row) => from(source, row));
  if (from === undefined) assertTokenSources(texts, { vocabularySize: size, min: 0 });
  return (texts as readonly Int32Array[]).map((tokenIds, row) => {
    const strange = tokenIds.find((tokenId) => tokenId < 0 || tokenId >= size);
    if (strange !== undefined) throw wrongValue(`A token that from gives for source ${row}`, strange, `below ${size}`);
    return tokenIds.filter((tokenId) => tokenId !== endTokenId && tokenId !== padTokenId);
  });
}

class CopySession implements DraftSession {
  readonly forwards = 0;
  readonly #rows: (CopyRow | undefined)[];
  readonly #places: number;
  readonly #times: DraftingTimes;

  constructor(rows: CopyRow[], places: number, times: DraftingTimes) {
    this.#rows = rows;
    this.#places = places;
    this.#times = times;
  }

  propose(requests: readonly DraftRequest[]): DraftTree[] {
    const began = performance.now();
    const drafts = requests.map(({ row: index, prefix, limit }) => {
      const row = this.#rows[index];
      if (row === undefined) return EMPTY_DRAFT;
      row.follow(prefix);
      return row.draft(limit, this.#places);
    });
    this.#times.proposed(performance.now() - began, requests.length);
    return drafts;
  }

  finish(row: number): void {
    this.#rows[row] = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rows.fill(undefined);
  }
}
