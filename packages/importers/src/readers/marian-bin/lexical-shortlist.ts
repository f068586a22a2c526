import { readdir } from 'node:fs/promises';
import { ForetokenError } from '@foretoken/core';
import type { Yielder } from '@foretoken/core/kit';
import {
  type FilePlace,
  foreignContent,
  invalidFolder,
  readRegularFile,
  type ShortlistTables,
  unsupportedModel,
} from '@foretoken/models/internal';

/** Names of shortlists, as `lex.50.50.enfr.s2t.bin`. */
export const SHORTLIST_NAME: RegExp = /^lex\..*\.bin$/;
const COMPRESSED = /^lex\..*\.bin\.(gz|zst|xz)$/;
const UNPACKERS: Readonly<Record<string, string>> = { gz: 'gzip -d', zst: 'zstd -d', xz: 'xz -d' };
const REMEDY = 'Fetch the file again, or import the model without its shortlist.';

/** Lists are filled up to a multiple of this: Marian's products of 8-bit numbers need it. */
export const MULTIPLE = 8;

// Two halves of 0xF11A48D5013417F5, the lower first.
const MAGIC = [0x013417f5, 0xf11a48d5] as const;
const HEADER_BYTES = 48;
/** Header fields that the checksum does not cover: magic and itself. */
const UNCHECKED_BYTES = 16;
// Far above those of any model.
const MAX_BYTES = 512 * 1024 ** 2;
/** Numbers that are read before other work may have its turn. */
const PIECE = 2 ** 16;

/**
 * The one shortlist in a folder; undefined where there is none, or where it is not `wanted`. Throws `UNSUPPORTED_MODEL` where there are
 * several or one is compressed, `INVALID_ARGUMENT` where one is asked for and there is none.
 */
export async function findShortlist(folder: string, wanted: boolean | undefined): Promise<string | undefined> {
  if (wanted === false) return undefined;
  const names = (await readdir(folder)).sort();
  const files = names.filter((name) => SHORTLIST_NAME.test(name));
  if (files.length > 1) {
    throw unsupportedModel(
      `${folder} holds several shortlists: ${files.slice(0, 5).join(', ')}. Leave the one of this model there, or import it without.`,
      { folder, received: files.slice(0, 20), required: 'one shortlist' },
    );
  }
  if (files.length === 1) return files[0];
  for (const name of names) {
    const unpack = UNPACKERS[COMPRESSED.exec(name)?.[1] ?? ''];
    if (unpack === undefined) continue;
    throw unsupportedModel(
      `${name} in ${folder} is compressed. Run ${unpack} on it, or import the model without its shortlist.`,
      { folder, file: name, received: name, required: 'a .bin file' },
    );
  }
  if (wanted !== true) return undefined;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `${folder} holds no shortlist, a file such as lex.50.50.enfr.s2t.bin. Fetch it, or leave out shortlist.`,
    { option: 'shortlist', received: wanted },
  );
}

/**
 * Reads a binary lexical shortlist of Marian for a model of `sources` and `outputs` tokens: magic, checksum, how many frequent tokens
 * are always possible, how many were kept for each source token; where the list of each source token begins; the lists. With
 * `oneVocabulary` each source token may be copied, as in Marian.
 *
 * Every length and id is checked before memory is taken for it. Throws `INVALID_MODEL_FOLDER`, the signal's reason.
 */
export async function readLexicalShortlist(
  place: FilePlace,
  { sources, outputs, end, oneVocabulary }: ShortlistModel,
  pace: Yielder,
): Promise<ShortlistTables> {
  const refuse = (field: string, received: unknown, required: string): never => {
    throw invalidFolder(
      `${place.file} in ${place.folder}: ${field} is ${String(received)}, but it must be ${required}. ${REMEDY}`,
      { ...place, field, received, required },
    );
  };
  const bytes = await readRegularFile(place, { links: true, max: MAX_BYTES });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 8 || MAGIC.some((half, at) => view.getUint32(4 * at, true) !== half)) {
    const foreign = foreignContent(bytes.subarray(0, 64));
    refuse('the begin', foreign ?? 'that of another format', 'that of a binary lexical shortlist');
  }
  if (bytes.length < HEADER_BYTES) refuse('file size', bytes.length, `at least ${HEADER_BYTES} bytes`);
  const number = (field: string, at: number): number => {
    const value = view.getBigUint64(at, true);
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : refuse(field, value, 'below 2^53');
  };
  const frequent = number('the count of frequent tokens', 16);
  number('the count of best tokens', 24);
  const rows = number('the count of offsets', 32);
  const listed = number('the count of listed tokens', 40);
  if (rows !== sources + 1) {
    refuse('the count of offsets', rows, `${sources + 1}: the model reads ${sources} tokens, so this is another's`);
  }
  const size = HEADER_BYTES + 8 * rows + 4 * listed;
  if (size !== bytes.length) refuse('file size', bytes.length, `${size}, as the header says`);
  if (frequent <= end)
    refuse('the count of frequent tokens', frequent, `above ${end}, the end token, so that outputs can end`);
  await assertChecksum(view, pace, refuse);

  const offsets = new Int32Array(rows + (oneVocabulary ? 1 : 0));
  const tokenIds = new Int32Array(listed + (oneVocabulary ? sources : 0));
  let [before, count] = [0, 0];
  const ids = HEADER_BYTES + 8 * rows;
  for (let row = 0; row <= sources; row++) {
    const next = number(`offset ${row}`, HEADER_BYTES + 8 * row);
    const [min, max] = row === 0 ? [0, 0] : [row === sources ? listed : before, listed];
    if (next < min || next > max) refuse(`offset ${row}`, next, `from ${min} to ${max}`);
    for (let at = before; at < next; at++) {
      const tokenId = view.getUint32(ids + 4 * at, true);
      if (tokenId >= outputs) refuse(`listed token ${at}`, tokenId, `below ${outputs}, the tokens of outputs`);
      tokenIds[count++] = tokenId;
      if (count % PIECE === 0 && pace.due()) await pace.yield();
    }
    if (row > 0 && oneVocabulary) tokenIds[count++] = row - 1;
    offsets[row] = count;
    before = next;
  }
  // The start token is one more, and has no list.
  offsets.fill(count, rows);
  return { common: Int32Array.from({ length: Math.min(frequent, outputs) }, (_, id) => id), offsets, tokenIds };
}

/** The model that a shortlist is to be of. */
export interface ShortlistModel {
  /** Tokens of sources and of outputs, without the start token. */
  readonly sources: number;
  readonly outputs: number;
  /** The token that ends outputs. */
  readonly end: number;
  readonly oneVocabulary: boolean;
}

/** Marian combines hashes of 64-bit numbers as Boost does; a few bytes at the end may be left out. */
async function assertChecksum(
  view: DataView,
  pace: Yielder,
  refuse: (field: string, received: unknown, required: string) => never,
): Promise<void> {
  let [high, low] = [0, 0];
  for (let at = UNCHECKED_BYTES; at + 8 <= view.byteLength; at += 8) {
    // A sum of 64-bit numbers in two halves; each half's sum is exact in a number.
    const sum = view.getUint32(at, true) + 0x9e3779b9 + ((low << 6) >>> 0) + (((low >>> 2) | (high << 30)) >>> 0);
    const upper =
      view.getUint32(at + 4, true) + (((high << 6) | (low >>> 26)) >>> 0) + (high >>> 2) + Math.floor(sum / 2 ** 32);
    low = (low ^ (sum % 2 ** 32)) >>> 0;
    high = (high ^ (upper % 2 ** 32)) >>> 0;
    if (at % PIECE === 0 && pace.due()) await pace.yield();
  }
  const hex = (upper: number, lower: number): string =>
    `0x${[upper, lower].map((half) => half.toString(16).padStart(8, '0')).join('')}`;
  const [received, required] = [hex(view.getUint32(12, true), view.getUint32(8, true)), hex(high, low)];
  if (received !== required)
    refuse('the checksum', received, `${required}, that of the content, so the file is damaged`);
}
