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
  oneOf,
  vocabulary as readVocabulary,
} from '@foretoken/core/kit';

/** Options of `ngramDrafter`. */
export interface NgramDrafterOptions {
  /** The vocabulary of the output, and of sources where these are looked through. */
  readonly vocabulary: Vocabulary;
  /** What is looked through: output and source (default), or the output alone, for sources that are no tokens, such as sound. */
  readonly lookIn?: 'output-and-source' | 'output' | undefined;
  /** Longest n-gram to look for; default 3. */
  readonly maxNgram?: number | undefined;
  /** Shortest n-gram that is evidence enough; default 1. */
  readonly minNgram?: number | undefined;
}

const OPTIONS: OptionTable<NgramDrafterOptions> = {
  vocabulary: readVocabulary,
  lookIn: oneOf('output-and-source', 'output'),
  maxNgram: integer(1),
  minNgram: integer(1),
};

/**
 * Drafts without a model: the longest n-gram that ends the output so far is looked up earlier in the output and then in
 * the source, latest occurrence first, and what followed it there is proposed (Saxena, 2023, "Prompt Lookup Decoding").
 *
 * Throws `INVALID_ARGUMENT`.
 */
export function ngramDrafter<Source = TokenSource>(options: NgramDrafterOptions): Drafter<Source> {
  options = checkOptions('ngramDrafter', options, OPTIONS, ['vocabulary']);
  const { vocabulary, lookIn = 'output-and-source', maxNgram = 3, minNgram = 1 } = options;
  assertInteger('maxNgram', maxNgram, minNgram, Number.MAX_SAFE_INTEGER);
  return {
    name: 'ngram',
    vocabulary,
    async open(sources) {
      const settings = { vocabulary, maxNgram, minNgram };
      if (lookIn === 'output') return new NgramDraftSession([], settings);
      const texts: readonly unknown[] = sources;
      assertTokenSources(texts as readonly TokenSource[], { vocabularySize: vocabulary.size, min: 0 });
      return new NgramDraftSession(texts as readonly TokenSource[], settings);
    },
  };
}

/** In the place of a source that is not looked through. */
const NO_SOURCE = new Int32Array();

type NgramSettings = Complete<Omit<NgramDrafterOptions, 'lookIn'>>;

class NgramDraftSession implements DraftSession {
  readonly forwards = 0;
  readonly #sources: readonly TokenSource[];
  readonly #options: NgramSettings;

  constructor(sources: readonly TokenSource[], options: NgramSettings) {
    this.#sources = sources;
    this.#options = options;
  }

  propose(requests: readonly DraftRequest[]): DraftTree[] {
    return requests.map((request) => this.#draft(request));
  }

  finish(): void {}

  #draft({ row, prefix, limit }: DraftRequest): DraftTree {
    const { maxNgram, minNgram, vocabulary } = this.#options;
    const source = this.#sources[row] ?? NO_SOURCE;
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
