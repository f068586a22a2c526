import type { Yielder } from '@foretoken/core/kit';
import { type FilePlace, invalidFolder, quote, unsupportedModel } from '@foretoken/models/internal';
import { type ElementBlocks, OTHER_TYPES, READ_TYPES } from './gguf-types.js';
import { noGguf } from './no-gguf.js';

/** A value of the metadata. Integers of 64 bits beyond the safe ones are as near as a number comes. */
export type MetadataValue = string | number | boolean | readonly MetadataValue[];

/** A tensor that the header lists: where its data lie in the file. */
export interface TensorEntry {
  readonly name: string;
  /** Row-major: the last dimension lies together. */
  readonly shape: readonly number[];
  readonly type: ElementBlocks;
  readonly begin: number;
  readonly bytes: number;
}

export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: readonly TensorEntry[];
}

/** The header does not end within the bytes that were read; so many are needed at least. */
export class MoreNeeded {
  readonly bytes: number;

  constructor(bytes: number) {
    this.bytes = bytes;
  }
}

const MAGIC = 'GGUF';
const MAX_DIMENSIONS = 4;
const MAX_NAME_BYTES = 1024;
const MAX_NESTED_LISTS = 2;
// Far above those of any model.
const MAX_COUNT = 65_536;
const MAX_LIST = 2 ** 22;
/** Bytes of a value of each type of metadata, at least. */
const VALUE_BYTES = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8];
/** Items of a list that are read before other work may have its turn. */
const ITEMS = 1024;
const STRING = 8;
const LIST = 9;

/**
 * Reads a GGUF header (version 2 or 3, little-endian) of the first bytes of a file of `fileBytes` bytes. Whatever the header says of
 * lengths and counts is held against the file's size before memory is taken. Throws `MoreNeeded`, `INVALID_MODEL_FOLDER`,
 * `UNSUPPORTED_MODEL`, and the signal's reason.
 */
export async function parseGguf(
  bytes: Uint8Array,
  fileBytes: number,
  place: FilePlace,
  pace: Yielder,
): Promise<GgufHeader> {
  const reader = new HeaderReader(bytes, fileBytes, place, pace);
  reader.magic();
  const tensorCount = reader.count('tensor count', 24, MAX_COUNT);
  const fieldCount = reader.count('metadata count', 13, MAX_COUNT);
  const metadata = new Map<string, MetadataValue>();
  for (let index = 0; index < fieldCount; index++) {
    const key = reader.text(`metadata key ${index}`, MAX_NAME_BYTES);
    if (metadata.has(key)) reader.refuse(key, 'there twice', 'there once');
    metadata.set(key, await reader.value(key));
    if (pace.due()) await pace.yield();
  }
  const listed: ReturnType<HeaderReader['tensor']>[] = [];
  for (let index = 0; index < tensorCount; index++) {
    listed.push(reader.tensor(index));
    if (pace.due()) await pace.yield();
  }
  const alignment = metadata.get('general.alignment') ?? 32;
  if (typeof alignment !== 'number' || !Number.isInteger(alignment) || alignment < 1 || alignment > 2 ** 20) {
    return reader.refuse('general.alignment', alignment, 'an integer from 1 to 1048576');
  }
  const data = Math.ceil(reader.position / alignment) * alignment;
  const tensors = listed.map(({ offset, ...entry }) => ({ ...entry, begin: data + offset }));
  await checkPlaces(tensors, fileBytes, reader, pace);
  return { metadata, tensors };
}

/** Refuses tensors that reach outside the file or into one another, and names that are there twice. */
async function checkPlaces(
  tensors: readonly TensorEntry[],
  fileBytes: number,
  reader: HeaderReader,
  pace: Yielder,
): Promise<void> {
  const names = new Set<string>();
  let end = 0;
  for (const { name, begin, bytes } of [...tensors].sort((a, b) => a.begin - b.begin)) {
    const field = `tensor ${quote(name)}`;
    if (names.has(name)) reader.refuse(field, 'there twice', 'there once');
    names.add(name);
    if (begin < end) reader.refuse(`${field} offset`, begin, `at least ${end}, where the tensor before it ends`);
    end = begin + bytes;
    if (!(end <= fileBytes)) {
      reader.refuse(field, `the bytes ${begin} to ${end}`, `within the file, which has ${fileBytes} bytes`);
    }
    if (pace.due()) await pace.yield();
  }
}

class HeaderReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fileBytes: number;
  readonly #place: FilePlace;
  readonly #pace: Yielder;
  #at = 0;

  constructor(bytes: Uint8Array, fileBytes: number, place: FilePlace, pace: Yielder) {
    this.#pace = pace;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fileBytes = fileBytes;
    this.#place = place;
  }

  get position(): number {
    return this.#at;
  }

  refuse(field: string, received: unknown, required: string): never {
    const { folder, file } = this.#place;
    throw invalidFolder(
      `${file} in ${folder}: ${field} is ${typeof received === 'string' ? received : quote(received)}, but it must be ${required}. Fetch the file again.`,
      { folder, file, field, received, required },
    );
  }

  magic(): void {
    const begin = new TextDecoder('latin1').decode(this.#bytes.subarray(0, 4));
    if (begin !== MAGIC) throw noGguf(this.#bytes, MAGIC, this.#place);
    this.#at = 4;
    const version = this.#number('version', 4, 'getUint32');
    if (version === 2 || version === 3) return;
    const { folder, file } = this.#place;
    const received = version % 65_536 === 0 ? 'that of a big-endian file' : String(version);
    throw unsupportedModel(
      `${file} in ${folder}: version is ${received}, but 2 or 3 is required. Convert the model again with a newer llama.cpp.`,
      { folder, file, field: 'version', received: version, required: [2, 3] },
    );
  }

  /** A count of things that take so many bytes each, at least. */
  count(field: string, bytesEach: number, max: number): number {
    const count = this.#long(field);
    const possible = Math.min(max, Math.floor((this.#fileBytes - this.#at) / bytesEach));
    return count <= possible
      ? count
      : this.refuse(field, count, `at most ${possible}, in a file of ${this.#fileBytes} bytes`);
  }

  text(field: string, maxBytes: number): string {
    const length = this.count(`${field} length`, 1, maxBytes);
    const from = this.#take(field, length);
    try {
      return UTF8.decode(this.#bytes.subarray(from, from + length));
    } catch {
      return this.refuse(field, 'not UTF-8', 'a text in UTF-8');
    }
  }

  value(field: string): Promise<MetadataValue> {
    return this.#valueOf(field, this.#number(`${field} type`, 4, 'getUint32'), 0);
  }

  tensor(index: number): Omit<TensorEntry, 'begin'> & { readonly offset: number } {
    const name = this.text(`name of tensor ${index}`, MAX_NAME_BYTES);
    const field = `tensor ${quote(name)}`;
    const rank = this.#number(`${field} rank`, 4, 'getUint32');
    if (rank < 1 || rank > MAX_DIMENSIONS) this.refuse(`${field} rank`, rank, `from 1 to ${MAX_DIMENSIONS}`);
    const dims = Array.from({ length: rank }, () => this.#long(`${field} shape`));
    const number = this.#number(`${field} type`, 4, 'getUint32');
    const offset = this.#long(`${field} offset`);
    const type = READ_TYPES.get(number);
    if (type === undefined) return this.#refuseType(field, number);
    if (dims.some((size) => size < 1)) this.refuse(`${field} shape`, dims, 'integers from 1');
    if (dims[0] % type.elements !== 0) {
      this.refuse(`${field} shape`, dims, `rows of a multiple of ${type.elements} elements, for ${type.name}`);
    }
    // A product beyond 2^53 is inexact, but then far above any file's size, against which it is held.
    const bytes = dims.reduce((product, size) => product * size, type.bytes / type.elements);
    return { name, shape: dims.reverse(), type, bytes, offset };
  }

  #refuseType(field: string, number: number): never {
    const { folder, file } = this.#place;
    const received = OTHER_TYPES.get(number) ?? `number ${number}`;
    const required = [...READ_TYPES.values()].map(({ name }) => name);
    throw unsupportedModel(
      `${file} in ${folder}: ${field} has the element type ${received}, which is not supported; supported: ${required.join(', ')}. Fetch the model in one of them, such as Q8_0 or F16.`,
      { folder, file, field: `${field} type`, received, required },
    );
  }

  async #valueOf(field: string, type: number, depth: number): Promise<MetadataValue> {
    return type === LIST ? this.#list(field, depth) : this.#single(field, type);
  }

  #single(field: string, type: number): string | number | boolean {
    switch (type) {
      case 0:
        return this.#number(field, 1, 'getUint8');
      case 1:
        return this.#number(field, 1, 'getInt8');
      case 2:
        return this.#number(field, 2, 'getUint16');
      case 3:
        return this.#number(field, 2, 'getInt16');
      case 4:
        return this.#number(field, 4, 'getUint32');
      case 5:
        return this.#number(field, 4, 'getInt32');
      case 6:
        return this.#number(field, 4, 'getFloat32');
      case 7:
        return this.#number(field, 1, 'getUint8') !== 0;
      case STRING:
        return this.text(field, this.#fileBytes);
      case 10:
        return this.#long(field);
      case 11:
        return Number(this.#view.getBigInt64(this.#take(field, 8), true));
      case 12:
        return this.#number(field, 8, 'getFloat64');
      default:
        return this.refuse(`${field} type`, type, 'from 0 to 12');
    }
  }

  async #list(field: string, depth: number): Promise<readonly MetadataValue[]> {
    if (depth >= MAX_NESTED_LISTS) this.refuse(field, 'a list in lists', `nested at most ${MAX_NESTED_LISTS} deep`);
    const type = this.#number(`${field} type`, 4, 'getUint32');
    const each = VALUE_BYTES[type];
    if (each === undefined) this.refuse(`${field} type`, type, 'from 0 to 12');
    const count = this.count(`${field} length`, each, MAX_LIST);
    const values: MetadataValue[] = [];
    for (let index = 0; index < count; index++) {
      values.push(type === LIST ? await this.#list(field, depth + 1) : this.#single(field, type));
      if (index % ITEMS === 0 && this.#pace.due()) await this.#pace.yield();
    }
    return values;
  }

  #long(field: string): number {
    return Number(this.#view.getBigUint64(this.#take(field, 8), true));
  }

  #number(
    field: string,
    bytes: number,
    read: 'getUint8' | 'getInt8' | 'getUint16' | 'getInt16' | 'getUint32' | 'getInt32' | 'getFloat32' | 'getFloat64',
  ): number {
    return this.#view[read](this.#take(field, bytes), true);
  }

  /** Where the next bytes begin. */
  #take(field: string, bytes: number): number {
    const from = this.#at;
    const end = from + bytes;
    if (end > this.#fileBytes) this.refuse(field, 'cut off', `within the file, which has ${this.#fileBytes} bytes`);
    if (end > this.#bytes.length) throw new MoreNeeded(end);
    this.#at = end;
    return from;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
