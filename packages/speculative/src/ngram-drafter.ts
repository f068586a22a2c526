import type { Drafter, DraftRequest, DraftSession, DraftTree, TokenSource, Vocabulary } from '@foretoken/core';
import {
  assertInteger,
  assertTokenSources,
  type Complete,
  chainWithin,
  checkOptions,
  EMPTY_DRAFT,
  integer,
  type OptionTable,
  vocabulary as readVocabulary,
} from '@foretoken/core/kit';

/** Options of `ngramDrafter`. */
export interface NgramDrafterOptions {
  /** The vocabulary that sources and output share. */
  readonly vocabulary: Vocabulary;
  /** Longest n-gram to look for; default 3. */
  readonly maxNgram?: number | undefined;
  /** Shortest n-gram that is evidence enough; default 1. */
  readonly minNgram?: number | undefined;
}

const OPTIONS: OptionTable<NgramDrafterOptions> = {
  vocabulary: readVocabulary,
  maxNgram: integer(1),
  minNgram: integer(1),
};

/**
 * Drafts without a model: the longest n-gram that ends the output so far is looked up earlier in the output and then in
 * the source, latest occurrence first, and what followed it there is proposed (Saxena, 2023, "Prompt Lookup Decoding").
 *
 * Throws `INVALID_ARGUMENT`.
 */
export function ngramDrafter(options: NgramDrafterOptions): Drafter<TokenSource> {
  options = checkOptions('ngramDrafter', options, OPTIONS, ['vocabulary']);
  const { vocabulary, maxNgram = 3, minNgram = 1 } = options;
  assertInteger('maxNgram', maxNgram, minNgram, Number.MAX_SAFE_INTEGER);
  return {
    name: 'ngram',
    vocabulary,
    async open(sources) {
      assertTokenSources(sources, { vocabularySize: vocabulary.size, min: 0 });
      return new NgramDraftSession(sources, { vocabulary, maxNgram, minNgram });
    },
  };
}

class NgramDraftSession implements DraftSession {
  readonly forwards = 0;
  readonly #sources: readonly TokenSource[];
  readonly #options: Complete<NgramDrafterOptions>;

  constructor(sources: readonly TokenSource[], options: Complete<NgramDrafterOptions>) {
    this.#sources = sources;
    this.#options = options;
  }

  propose(requests: readonly DraftRequest[]): DraftTree[] {
    return requests.map((request) => this.#draft(request));
  }

  finish(): void {}

  #draft({ row, prefix, limit }: DraftRequest): DraftTree {
    const { maxNgram, minNgram, vocabulary } = this.#options;
    const source = this.#sources[row];
    for (let n = Math.min(maxNgram, prefix.length); n >= minNgram; n--) {
      const suffix = prefix.subarray(prefix.length - n);
      const followed = continuation(prefix, suffix) ?? continuation(source, suffix);
      if (followed === undefined) continue;
      return chainWithin(followed, limit, vocabulary.endTokenId);
    }
    return EMPTY_DRAFT;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** What followed the last occurrence of `ngram` that something follows, up to the end of `text`. */
function continuation(text: Int32Array, ngram: Int32Array): Int32Array | undefined {
  for (let begin = text.length - ngram.length - 1; begin >= 0; begin--) {
    let matched = 0;
    while (matched < ngram.length && text[begin + matched] === ngram[matched]) matched++;
    if (matched === ngram.length) return text.subarray(begin + ngram.length);
  }
  return undefined;
}
