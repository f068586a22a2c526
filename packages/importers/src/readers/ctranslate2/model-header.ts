import { type FilePlace, foreignContent, invalidFolder, quote, unsupportedModel } from '@foretoken/models/internal';

/** Element types by the number that a file gives them. */
const TYPES = ['float32', 'int8', 'int16', 'int32', 'float16', 'bfloat16'] as const;
export type VariableType = (typeof TYPES)[number];
export const VARIABLE_BYTES: Readonly<Record<VariableType, number>> = {
  float32: 4,
  int8: 1,
  int16: 2,
  int32: 4,
  float16: 2,
  bfloat16: 2,
};

/** A variable of the model: where its values lie in the file, row-major and little-endian. A scalar has no dimensions. */
export interface Variable {
  readonly name: string;
  readonly type: VariableType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly bytes: number;
}

export interface ModelHeader {
  /** Name of the class that CTranslate2 opens the model with. */
  readonly spec: string;
  readonly revision: number;
  readonly variables: readonly Variable[];
  /** Further names of variables. */
  readonly aliases: readonly (readonly [alias: string, variable: string])[];
}

/** Bytes of the file from `begin` on, `length` of them; they lie inside the file. */
export type ReadBytes = (begin: number, length: number) => Promise<Uint8Array>;

const BINARY_VERSION = 6;
// Far above those of any model.
const MAX_VARIABLES = 65_536;
const MAX_NAME_BYTES = 1024;
const MAX_DIMENSIONS = 8;
/** Bytes that are read at once; a variable's description is far shorter. */
const PIECE_BYTES = 4096;

/**
 * Reads what a CTranslate2 `model.bin` of `fileBytes` bytes holds, not the values: version, spec and its revision, variables one after
 * the other, aliases. Every length and count is held against the file's size before memory is taken. Throws `INVALID_MODEL_FOLDER`,
 * `UNSUPPORTED_MODEL`, what `read` throws.
 */
export async function readModelHeader(read: ReadBytes, fileBytes: number, place: FilePlace): Promise<ModelHeader> {
  const reader = new FieldReader(read, fileBytes, place);
  await reader.version();
  const spec = await reader.text('spec name');
  const revision = await reader.integer('spec revision', 4);
  const count = await reader.count('variable count', 10);
  const variables: Variable[] = [];
  const names = new Set<string>();
  for (let index = 0; index < count; index++) {
    const name = await reader.text(`name of variable ${index}`);
    if (names.has(name)) reader.refuse(`variable ${quote(name)}`, 'there twice', 'there once');
    names.add(name);
    variables.push(await reader.variable(name));
  }
  const aliases: (readonly [string, string])[] = [];
  const aliasCount = await reader.count('alias count', 6);
  for (let index = 0; index < aliasCount; index++) {
    const alias = await reader.text(`name of alias ${index}`);
    const variable = await reader.text(`variable of alias ${index}`);
    if (!names.has(variable)) reader.refuse(`alias ${quote(alias)}`, quote(variable), 'the name of a variable');
    aliases.push([alias, variable]);
  }
  if (reader.position !== fileBytes) {
    reader.refuse('file size', `${fileBytes} bytes`, `${reader.position}, where the last alias ends`);
  }
  return { spec, revision, variables, aliases };
}

class FieldReader {
  readonly #read: ReadBytes;
  readonly #fileBytes: number;
  readonly #place: FilePlace;
  #at = 0;
  /** What was read last, and where it begins. */
  #piece = new Uint8Array();
  #pieceBegin = 0;

  constructor(read: ReadBytes, fileBytes: number, place: FilePlace) {
    this.#read = read;
    this.#fileBytes = fileBytes;
    this.#place = place;
  }

  get position(): number {
    return this.#at;
  }

  refuse(field: string, received: unknown, required: string): never {
    const { folder, file } = this.#place;
    throw invalidFolder(
      `${file} in ${folder}: ${field} is ${typeof received === 'string' ? received : quote(received)}, but it must be ${required}. Fetch or convert the model again.`,
      { folder, file, field, received, required },
    );
  }

  async version(): Promise<void> {
    const { folder, file } = this.#place;
    const begin = await this.#read(0, Math.min(this.#fileBytes, 64));
    const foreign = foreignContent(begin);
    if (foreign !== undefined) {
      throw invalidFolder(`${file} in ${folder} holds no weights: it is ${foreign}`, {
        folder,
        file,
        field: 'the whole file',
        required: 'a model of CTranslate2',
      });
    }
    const version = await this.integer('version', 4);
    if (version === BINARY_VERSION) return;
    throw unsupportedModel(
      `${file} in ${folder}: version is ${version}, but ${BINARY_VERSION} is required. Convert the model again with CTranslate2 4.`,
      { folder, file, field: 'version', received: version, required: BINARY_VERSION },
    );
  }

  async integer(field: string, bytes: 1 | 2 | 4): Promise<number> {
    const view = await this.#take(field, bytes);
    return bytes === 1 ? view.getUint8(0) : bytes === 2 ? view.getUint16(0, true) : view.getUint32(0, true);
  }

  /** A count of things that take so many bytes each, at least. */
  async count(field: string, bytesEach: number): Promise<number> {
    const count = await this.integer(field, 4);
    const possible = Math.min(MAX_VARIABLES, Math.floor((this.#fileBytes - this.#at) / bytesEach));
    return count <= possible
      ? count
      : this.refuse(field, count, `at most ${possible}, in a file of ${this.#fileBytes} bytes`);
  }

  /** A text, which ends in a zero byte. */
  async text(field: string): Promise<string> {
    const length = await this.integer(`${field} length`, 2);
    if (length < 2 || length > MAX_NAME_BYTES) this.refuse(`${field} length`, length, `from 2 to ${MAX_NAME_BYTES}`);
    const { buffer, byteOffset } = await this.#take(field, length);
    const bytes = new Uint8Array(buffer, byteOffset, length);
    // Names are ASCII.
    if (bytes[length - 1] !== 0 || bytes.subarray(0, -1).some((byte) => byte < 32 || byte > 126)) {
      this.refuse(field, 'no text', 'printable characters and a zero byte');
    }
    return new TextDecoder().decode(bytes.subarray(0, -1));
  }

  async variable(name: string): Promise<Variable> {
    const field = `variable ${quote(name)}`;
    const rank = await this.integer(`${field} rank`, 1);
    if (rank > MAX_DIMENSIONS) this.refuse(`${field} rank`, rank, `at most ${MAX_DIMENSIONS}`);
    const shape: number[] = [];
    for (let axis = 0; axis < rank; axis++) shape.push(await this.integer(`${field} shape`, 4));
    const number = await this.integer(`${field} type`, 1);
    const type = TYPES[number];
    if (type === undefined) return this.#refuseType(field, number);
    const bytes = await this.integer(`${field} bytes`, 4);
    // A product beyond 2^53 is inexact, but then far above any number of 32 bits.
    const needed = shape.reduce((product, size) => product * size, VARIABLE_BYTES[type]);
    if (bytes !== needed || bytes === 0) {
      this.refuse(`${field} bytes`, bytes, `${needed}, for ${type} [${shape.join(', ')}], and not 0`);
    }
    const begin = this.#at;
    if (begin + bytes > this.#fileBytes) {
      this.refuse(
        field,
        `the bytes ${begin} to ${begin + bytes}`,
        `within the file, which has ${this.#fileBytes} bytes`,
      );
    }
    this.#at = begin + bytes;
    return { name, type, shape, begin, bytes };
  }

  #refuseType(field: string, number: number): never {
    const { folder, file } = this.#place;
    throw unsupportedModel(
      `${file} in ${folder}: ${field} has an element type of the number ${number}, which is not supported; supported: ${TYPES.join(', ')}. Convert the model again with one of them.`,
      { folder, file, field: `${field} type`, received: number, required: TYPES },
    );
  }

  async #take(field: string, bytes: number): Promise<DataView> {
    const from = this.#at;
    if (from + bytes > this.#fileBytes) {
      this.refuse(field, 'cut off', `within the file, which has ${this.#fileBytes} bytes`);
    }
    if (from < this.#pieceBegin || from + bytes > this.#pieceBegin + this.#piece.length) {
      this.#piece = new Uint8Array(await this.#read(from, Math.min(PIECE_BYTES, this.#fileBytes - from)));
      this.#pieceBegin = from;
    }
    this.#at = from + bytes;
    return new DataView(this.#piece.buffer, this.#piece.byteOffset + from - this.#pieceBegin, bytes);
  }
}
