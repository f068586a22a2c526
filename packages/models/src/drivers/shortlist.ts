import { ForetokenError, type TokenSource } from '@foretoken/core';
import type { FilePlace } from '../io/collect-pieces.js';
import { SideFile } from './side-file.js';

/** Name of a shortlist's file in a CTC student's weights folder and in a model folder. */
export const SHORTLIST_FILE = 'shortlist.safetensors';

/** The target tokens that sources are likely to become, so that a drafter scores a few hundred instead of thousands. */
export class Shortlist {
  readonly #common: Int32Array;
  /** `[source tokens, most]`, -1 where there is none. */
  readonly #bySource: Int32Array;
  readonly #max: number;
  /** A bit for each token id, 32 a word, set for the common ones. */
  readonly #marks: Int32Array;

  /** `common` must be distinct; all token ids are below `vocabularySize`. */
  constructor(common: Int32Array, bySource: Int32Array, max: number, vocabularySize: number) {
    this.#common = common;
    this.#bySource = bySource;
    this.#max = max;
    this.#marks = new Int32Array((vocabularySize + 31) >> 5);
    // A shift by more than 31 is one by what is left of whole words.
    for (const tokenId of common) this.#marks[tokenId >> 5] |= 1 << tokenId;
  }

  /** Fewest tokens a shortlist has. */
  get min(): number {
    return this.#common.length;
  }

  /** Every token id that may be listed. */
  tokenIds(): Set<number> {
    const all = new Set([...this.#common, ...this.#bySource]);
    all.delete(-1);
    return all;
  }

  /** Distinct token ids for all the sources together, ascending, and `last` at the end. */
  of(sources: readonly TokenSource[], last: number): Int32Array {
    const listed = this.#marks.slice();
    let count = this.#common.length;
    for (const source of sources) {
      for (const tokenId of source) {
        const end = (tokenId + 1) * this.#max;
        for (let at = tokenId * this.#max; at < end; at++) {
          const target = this.#bySource[at];
          if (!(target >= 0)) break;
          if (((listed[target >> 5] >> target) & 1) === 0) count++;
          listed[target >> 5] |= 1 << target;
        }
      }
    }
    const tokenIds = new Int32Array(count + 1);
    // A walk over the bits takes less time than a set and its sorting.
    for (let word = 0, at = 0; at < count; word++) {
      for (let bits = listed[word]; bits !== 0; bits &= bits - 1) {
        tokenIds[at++] = 32 * word + 31 - Math.clz32(bits & -bits);
      }
    }
    tokenIds[count] = last;
    return tokenIds;
  }
}

/**
 * Reads a shortlist for a vocabulary from its file's content: `common [tokens]` and `by_source [vocab, most]`, int32. The blank cannot be listed.
 * Throws `INVALID_MODEL_FOLDER` naming the file and tensor.
 */
export function readShortlist(bytes: Uint8Array, place: FilePlace, vocabularySize: number, blankId: number): Shortlist {
  const side = new SideFile(bytes, place, 'shortlist');
  const { file } = place;
  const refuse = (field: string, what: string, received: unknown, required: unknown): never => {
    throw new ForetokenError(
      'INVALID_MODEL_FOLDER',
      `${file}: ${field} ${what} ${String(received)}, but must be ${String(required)}. Make the shortlist again.`,
      { file, field, received, required },
    );
  };
  const integers = (name: string, dims: number) => {
    const tensor = side.integers(name);
    if (tensor.shape.length !== dims) refuse(name, 'has dimensions', tensor.shape.length, dims);
    return tensor;
  };
  const common = integers('common', 1);
  const bySource = integers('by_source', 2);
  if (bySource.shape[0] !== vocabularySize) refuse('by_source', 'has rows', bySource.shape[0], vocabularySize);
  const distinct = new Set(common.values).size;
  if (distinct < common.values.length) refuse('common', 'has distinct ids', distinct, common.values.length);
  // -1 ends a list of `by_source`.
  for (const [field, values, min] of [
    ['common', common.values, 0],
    ['by_source', bySource.values, -1],
  ] as const) {
    const wrong = values.find((id) => id < min || id >= vocabularySize || id === blankId);
    if (wrong !== undefined) {
      refuse(field, 'holds', wrong, `ids below ${vocabularySize}, the blank ${blankId} not among them`);
    }
  }
  return new Shortlist(common.values, bySource.values, bySource.shape[1], vocabularySize);
}
