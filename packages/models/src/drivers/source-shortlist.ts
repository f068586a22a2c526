import type { TokenSource } from '@foretoken/core';
import { invalidFolder } from '../folder/refusal.js';
import type { FilePlace } from '../io/collect-pieces.js';

/** Which tokens outputs may have, by the tokens of their sources. */
export interface ShortlistTables {
  /** Tokens that are always possible. */
  readonly common: Int32Array;
  /** Where the tokens of each source token begin in `tokenIds`; at the end, how many there are. */
  readonly offsets: Int32Array;
  readonly tokenIds: Int32Array;
}

/** What a shortlist must fit. */
export interface ShortlistSizes {
  readonly vocabularySize: number;
  readonly sourceVocabularySize: number;
  readonly endTokenId: number;
}

/** The tokens that the output of a source may have; all others are impossible (a lexical shortlist). */
export class SourceShortlist {
  readonly vocabularySize: number;
  readonly #tables: ShortlistTables;
  readonly #multipleOf: number;

  /** All token ids are below `vocabularySize`. Lists are filled up to a multiple with the lowest ids that they lack. */
  constructor(tables: ShortlistTables, multipleOf: number, vocabularySize: number) {
    this.#tables = tables;
    this.#multipleOf = multipleOf;
    this.vocabularySize = vocabularySize;
  }

  /** Token ids that the output of a source may have, distinct and ascending. */
  of(source: TokenSource): Int32Array {
    const { common, offsets, tokenIds } = this.#tables;
    const marks = new Uint8Array(this.vocabularySize);
    for (const tokenId of common) marks[tokenId] = 1;
    for (const tokenId of source) {
      for (let at = offsets[tokenId]; at < offsets[tokenId + 1]; at++) marks[tokenIds[at]] = 1;
    }
    let missing = -marks.reduce((count, mark) => count + mark, 0) % this.#multipleOf;
    if (missing < 0) missing += this.#multipleOf;
    for (let tokenId = 0; missing > 0 && tokenId < marks.length; tokenId++) {
      if (marks[tokenId] !== 0) continue;
      marks[tokenId] = 1;
      missing--;
    }
    return marked(marks);
  }

  /** Token ids of several lists together, distinct and ascending. */
  together(lists: readonly Int32Array[]): Int32Array {
    const marks = new Uint8Array(this.vocabularySize);
    for (const list of lists) for (const tokenId of list) marks[tokenId] = 1;
    return marked(marks);
  }
}

function marked(marks: Uint8Array): Int32Array {
  const tokenIds = new Int32Array(marks.reduce((count, mark) => count + mark, 0));
  let count = 0;
  for (let tokenId = 0; count < tokenIds.length; tokenId++) if (marks[tokenId] !== 0) tokenIds[count++] = tokenId;
  return tokenIds;
}

/**
 * Reads a shortlist of a folder from its file's content, int32 numbers, little-endian: how many `common` tokens, `offsets` and
 * `tokenIds` there are, then these. Throws `INVALID_MODEL_FOLDER` naming file and field.
 */
export function readSourceShortlist(
  bytes: Uint8Array,
  place: FilePlace,
  multipleOf: number,
  { vocabularySize, sourceVocabularySize, endTokenId }: ShortlistSizes,
): SourceShortlist {
  const refuse = (field: string, received: unknown, required: string): never => {
    throw invalidFolder(
      `${place.file}: ${field} is ${String(received)}, but it must be ${required}. Import the model again.`,
      { ...place, field, received, required },
    );
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const counts = [0, 4, 8].map((at) => (at + 4 <= bytes.length ? view.getUint32(at, true) : 0));
  const size = counts.reduce((sum, count) => sum + 4 * count, 4 * counts.length);
  if (bytes.length !== size) refuse('file size', bytes.length, `${size}, as its counts say`);
  let end = 4 * counts.length;
  const [common, offsets, tokenIds] = counts.map((count) => {
    const begin = end;
    end += 4 * count;
    return Int32Array.from({ length: count }, (_, at) => view.getInt32(begin + 4 * at, true));
  });
  for (const [name, ids] of [
    ['common', common],
    ['tokenIds', tokenIds],
  ] as const) {
    const outside = ids.find((id) => !(id >= 0 && id < vocabularySize));
    if (outside !== undefined) refuse(name, outside, `a token id below ${vocabularySize}`);
  }
  if (!common.includes(endTokenId)) refuse('common', `without ${endTokenId}`, 'a list with the end token');
  const rows = sourceVocabularySize + 1;
  if (offsets.length !== rows) refuse('offsets', `of ${offsets.length} numbers`, `of ${rows}, for each source token`);
  let before = 0;
  for (const [row, offset] of offsets.entries()) {
    const [min, max] = row === 0 ? [0, 0] : [row === rows - 1 ? tokenIds.length : before, tokenIds.length];
    if (!(offset >= min && offset <= max)) refuse(`offsets.${row}`, offset, `from ${min} to ${max}`);
    before = offset;
  }
  return new SourceShortlist({ common, offsets, tokenIds }, multipleOf, vocabularySize);
}
