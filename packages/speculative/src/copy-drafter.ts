import type { Drafter, DraftRequest, DraftSession, DraftTree, TokenSource, Vocabulary } from '@foretoken/core';
import {
  assertLattice,
  assertVocabulary,
  callback,
  checkOptions,
  EMPTY_DRAFT,
  type OptionTable,
  oneOf,
  vocabulary as readVocabulary,
  text,
} from '@foretoken/core/kit';
import { type CopiedFrom, copiedFrom, writtenTexts } from './copied-sources.js';
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
   * What the output of a source will mostly copy. A function gives it as token ids of the target's vocabulary: an earlier output,
   * a text to edit, what another model writes. A CTC model of the target's vocabulary writes it in one forward: its best path,
   * whose probabilities say how long a draft should be. Default: the source itself.
   */
  readonly from?: CopiedFrom<Source> | undefined;
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
  from: copiedFrom,
  shape: oneOf('tree', 'chain'),
};

/** Places in the text that a tree goes on from, at most. */
const TREE_PLACES = 3;

/**
 * Drafts for outputs that copy a text with edits (Ge et al., 2022, "Lossless Acceleration for Seq2seq Generation with Aggressive
 * Decoding"), be it the source or what a quicker model makes of it: all that follows where the output stands. After each round an alignment of output and
 * text finds that place again, whatever was put in, left out, replaced, joined or split.
 *
 * Throws `INVALID_ARGUMENT`, also when it is opened for sources that are no token ids and `from` is not given, and
 * `UNSUPPORTED_CAPABILITY` for a lattice model of another kind.
 */
export function copyDrafter<Source = TokenSource>(options: CopyDrafterOptions<Source>): Drafter<Source> {
  options = checkOptions<CopyDrafterOptions<Source>>('copyDrafter', options, OPTIONS, ['vocabulary']);
  const { vocabulary, tokenText, from, shape = 'chain' } = options;
  const writer = typeof from === 'function' ? undefined : from;
  if (writer !== undefined) {
    assertLattice({ name: 'copyDrafter', requires: { model: 'lattice', kinds: ['ctc'], candidates: 1 } }, writer);
    assertVocabulary('from', writer.vocabulary, vocabulary);
  }
  const pieces = new TokenPieces(vocabulary, tokenText);
  const places = shape === 'tree' ? TREE_PLACES : 1;
  const times = new DraftingTimes();
  return {
    name: NAME,
    vocabulary,
    encoder: writer?.encoder,
    get costs() {
      return times.costs;
    },
    async open(sources, context = {}) {
      const began = performance.now();
      const texts = await writtenTexts(sources, vocabulary, from, context);
      const rows = texts.map((text) => new CopyRow(new CopiedText(text.tokenIds, pieces, text.probabilities), pieces));
      times.opened(performance.now() - began, sources.length);
      return new CopySession(rows, places, times, writer === undefined ? 0 : 1);
    },
  };
}

class CopySession implements DraftSession {
  readonly forwards: number;
  readonly #rows: (CopyRow | undefined)[];
  readonly #places: number;
  readonly #times: DraftingTimes;

  constructor(rows: CopyRow[], places: number, times: DraftingTimes, forwards: number) {
    this.#rows = rows;
    this.#places = places;
    this.#times = times;
    this.forwards = forwards;
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
