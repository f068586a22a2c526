import { ForetokenError, type Vocabulary } from '@foretoken/core';
import { checkOptions, type OptionReader, type OptionTable, wrongValue } from '@foretoken/core/kit';
import type { LanguageModel, NextTokens } from './language-model.js';

/** A back-off trigram model as parallel arrays; probabilities and weights in the linear domain. */
export interface NgramTables {
  /** `[vocab]`. */
  readonly unigramProbability: Float32Array;
  /** Back-off weight of each one-token history, `[vocab]`. */
  readonly unigramBackoff: Float32Array;
  /** `[bigrams, 2]`. */
  readonly bigramIds: Int32Array;
  /** `[bigrams]`; 0 where the pair is a history only. */
  readonly bigramProbability: Float32Array;
  /** Back-off weight of each two-token history, `[bigrams]`. */
  readonly bigramBackoff: Float32Array;
  /** `[trigrams, 3]`. */
  readonly trigramIds: Int32Array;
  /** `[trigrams]`. */
  readonly trigramProbability: Float32Array;
}

const floats: OptionReader<Float32Array> = (name, value) => {
  if (ArrayBuffer.isView(value) && value instanceof Float32Array) return value;
  throw wrongValue(name, value, 'a Float32Array');
};
const ids: OptionReader<Int32Array> = (name, value) => {
  if (ArrayBuffer.isView(value) && value instanceof Int32Array) return value;
  throw wrongValue(name, value, 'an Int32Array');
};
const TABLES: OptionTable<NgramTables> = {
  unigramProbability: floats,
  unigramBackoff: floats,
  bigramIds: ids,
  bigramProbability: floats,
  bigramBackoff: floats,
  trigramIds: ids,
  trigramProbability: floats,
};

/** Throws `INVALID_ARGUMENT` for what is no vocabulary. */
function endOf(vocabulary: Pick<Vocabulary, 'endTokenId'>): number | undefined {
  try {
    const { endTokenId } = vocabulary;
    if (endTokenId === undefined || typeof endTokenId === 'number') return endTokenId;
  } catch {}
  throw wrongValue('vocabulary', vocabulary, 'an object with endTokenId');
}

// Plain loops: a model of a million n-grams is checked whenever it is loaded.
function areWithin(ids: Int32Array, size: number): boolean {
  for (let at = 0; at < ids.length; at++) if (ids[at] < 0 || ids[at] >= size) return false;
  return true;
}

function areAtMostOne(values: Float32Array): boolean {
  for (let at = 0; at < values.length; at++) if (!(values[at] <= 1)) return false;
  return true;
}

/** Where an `NgramModel` stands: what its last two tokens make probable. */
export interface NgramState extends NextTokens {
  /** The last token. */
  readonly last: number;
}

/**
 * A trigram language model with back-off (Katz, 1987): the probability of a seen trigram, or else that of the shorter
 * n-gram times the history's back-off weight. A look-up is one or two probes of a hash table.
 */
export class NgramModel implements LanguageModel<NgramState> {
  readonly vocabularySize: number;
  /** 0 where no probability and no weight is above 1. */
  readonly maxScore: number | undefined;
  /** Stands for what precedes the first token: the last token id. */
  readonly startTokenId: number;
  readonly #lookup: Lookup;
  readonly #start: NgramState;

  /**
   * Keeps the arrays. `endTokenId` is the token whose probability is that of an output's end; without one the end is
   * certain wherever it comes. A model's `vocabulary` says it.
   *
   * Throws `INVALID_ARGUMENT` when the arrays' sizes disagree or an id lies outside the vocabulary.
   */
  constructor(given: NgramTables, vocabulary: Pick<Vocabulary, 'endTokenId'>) {
    const tables = checkOptions('NgramModel', given, TABLES, Object.keys(TABLES) as (keyof NgramTables)[]);
    const endTokenId = endOf(vocabulary);
    const size = tables.unigramProbability.length;
    const bigrams = tables.bigramProbability.length;
    const trigrams = tables.trigramProbability.length;
    if (
      size === 0 ||
      tables.unigramBackoff.length !== size ||
      tables.bigramBackoff.length !== bigrams ||
      tables.bigramIds.length !== 2 * bigrams ||
      tables.trigramIds.length !== 3 * trigrams
    ) {
      throw new ForetokenError('INVALID_ARGUMENT', 'The arrays of the n-gram model disagree in size.', {
        vocabulary: size,
        bigrams,
        trigrams,
      });
    }
    if (!areWithin(tables.bigramIds, size) || !areWithin(tables.trigramIds, size)) {
      throw new ForetokenError('INVALID_ARGUMENT', `An n-gram holds an id outside the vocabulary of ${size}.`, {
        size,
      });
    }
    this.vocabularySize = size;
    this.startTokenId = size - 1;
    const { bigramIds: _, trigramIds: __, ...values } = tables;
    this.maxScore = Object.values(values).every(areAtMostOne) ? 0 : undefined;
    this.#lookup = new Lookup(
      tables,
      endTokenId !== undefined && endTokenId >= 0 && endTokenId < size ? endTokenId : -1,
    );
    this.#start = new LookedUpState(this.#lookup, this.startTokenId, this.startTokenId);
  }

  /** Probability of `tokenId` after the two tokens `before`, `last`. */
  probability(before: number, last: number, tokenId: number): number {
    return new LookedUpState(this.#lookup, before, last).probability(tokenId);
  }

  start(): NgramState {
    return this.#start;
  }

  score(state: NgramState, tokenId: number): number {
    return Math.log(state.probability(tokenId));
  }

  next({ last }: NgramState, tokenId: number): NgramState {
    return new LookedUpState(this.#lookup, last, tokenId);
  }

  end(state: NgramState): number {
    return Math.log(state.end());
  }

  distribution(state: NgramState): NextTokens {
    return state;
  }
}

/** The last two tokens; where they are among the bigrams is looked up once it is needed. */
class LookedUpState implements NgramState {
  readonly last: number;
  readonly #before: number;
  readonly #lookup: Lookup;
  #backoff: number = Number.NaN;

  constructor(lookup: Lookup, before: number, last: number) {
    this.#lookup = lookup;
    this.#before = before;
    this.last = last;
  }

  probability(tokenId: number): number {
    if (Number.isNaN(this.#backoff)) this.#backoff = this.#lookup.backoff(this.#before, this.last);
    return this.#lookup.probability(this.#before, this.last, this.#backoff, tokenId);
  }

  end(): number {
    const { endTokenId } = this.#lookup;
    return endTokenId < 0 ? 1 : this.probability(endTokenId);
  }
}

/** The tables with their hash tables. */
class Lookup {
  /** -1 where there is none. */
  readonly endTokenId: number;
  readonly #tables: NgramTables;
  #made: { readonly bigrams: IdTable; readonly trigrams: IdTable } | undefined;

  constructor(tables: NgramTables, endTokenId: number) {
    this.endTokenId = endTokenId;
    this.#tables = tables;
  }

  /** Made when they are first used: a model that is loaded need not be asked. */
  get #hashed(): { readonly bigrams: IdTable; readonly trigrams: IdTable } {
    const { bigramIds, trigramIds } = this.#tables;
    this.#made ??= { bigrams: new IdTable(bigramIds, 2), trigrams: new IdTable(trigramIds, 3) };
    return this.#made;
  }

  /** Weight of what follows two tokens unseen. */
  backoff(before: number, last: number): number {
    const history = this.#hashed.bigrams.find(before, last, 0);
    return history >= 0 ? this.#tables.bigramBackoff[history] : 1;
  }

  /** Probability of a token after two others, whose weight is `backoff`. */
  probability(before: number, last: number, backoff: number, tokenId: number): number {
    const trigram = this.#hashed.trigrams.find(before, last, tokenId);
    if (trigram >= 0) return this.#tables.trigramProbability[trigram];
    return backoff * this.#pairProbability(last, tokenId);
  }

  #pairProbability(last: number, tokenId: number): number {
    const pair = this.#hashed.bigrams.find(last, tokenId, 0);
    const seen = pair >= 0 ? this.#tables.bigramProbability[pair] : 0;
    if (seen > 0) return seen;
    return this.#tables.unigramBackoff[last] * this.#tables.unigramProbability[tokenId];
  }
}

/** Finds the row of an id tuple by open addressing. */
class IdTable {
  readonly #ids: Int32Array;
  readonly #width: number;
  readonly #slots: Int32Array;

  constructor(ids: Int32Array, width: 2 | 3) {
    this.#ids = ids;
    this.#width = width;
    const rows = ids.length / width;
    let capacity = 16;
    while (capacity < 2 * rows) capacity *= 2;
    this.#slots = new Int32Array(capacity).fill(-1);
    for (let row = 0; row < rows; row++) {
      const at = row * width;
      const third = width === 3 ? ids[at + 2] : 0;
      const slot = this.#probe(ids[at], ids[at + 1], third);
      if (this.#slots[slot] === -1) this.#slots[slot] = row;
    }
  }

  /** Row of the tuple, or -1; a pair's third id is 0. */
  find(first: number, second: number, third: number): number {
    return this.#slots[this.#probe(first, second, third)];
  }

  /** The slot that holds the tuple, or the free one where it would go. */
  #probe(first: number, second: number, third: number): number {
    const mask = this.#slots.length - 1;
    let hash = Math.imul(first + 1, 0x9e3779b1) ^ Math.imul(second + 1, 0x85ebca6b) ^ Math.imul(third + 1, 0xc2b2ae35);
    hash ^= hash >>> 15;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot];
      if (row === -1) return slot;
      const at = row * this.#width;
      if (
        this.#ids[at] === first &&
        this.#ids[at + 1] === second &&
        (this.#width === 2 || this.#ids[at + 2] === third)
      ) {
        return slot;
      }
    }
  }
}
