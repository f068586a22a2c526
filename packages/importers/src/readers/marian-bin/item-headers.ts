import {
  allocate,
  type FilePlace,
  foreignContent,
  invalidFolder,
  quote,
  unsupportedModel,
} from '@foretoken/models/internal';

/** What an item holds. Numbers in 8 bits are followed by one fp32, which they are to be divided by. */
export type ItemType = 'float32' | 'float16' | 'int8' | 'quantised8';

/** Element types by the number that a file gives them; Marian and its fork for browsers have two for the same. */
const TYPES: ReadonlyMap<number, ItemType> = new Map([
  [0x404, 'float32'],
  [0x402, 'float16'],
  [0x101, 'int8'],
  [0x10001, 'quantised8'],
  [0x10101, 'quantised8'],
  [0x4101, 'quantised8'],
]);
const BYTES: Readonly<Record<ItemType, number>> = { float32: 4, float16: 2, int8: 1, quantised8: 1 };

/** An item of the file: where its values lie, little-endian. */
export interface MarianItem {
  readonly name: string;
  readonly type: ItemType;
  readonly shape: readonly number[];
  readonly begin: number;
  /** Bytes of the values, without what follows them. */
  readonly bytes: number;
}

/** Bytes of the file from `begin` on, `length` of them; they lie inside the file. */
export type ReadBytes = (begin: number, length: number) => Promise<Uint8Array>;

const VERSION = 1;
/** Bytes that are read first: version and count. */
export const BEGIN_BYTES = 16;
const HEADER_BYTES = 32;
/** Bytes of what follows values in 8 bits. */
export const MULTIPLIER_BYTES = 4;
// Far above those of any model.
const MAX_ITEMS = 16_384;
const MAX_NAME_BYTES = 1024;
const MAX_DIMENSIONS = 8;

/** Whether a file that begins so is one of Marian. */
export function isMarian(begin: Uint8Array): boolean {
  if (begin.length < BEGIN_BYTES) return false;
  const view = new DataView(begin.buffer, begin.byteOffset, begin.length);
  return view.getBigUint64(0, true) === BigInt(VERSION) && view.getUint32(12, true) === 0;
}

/**
 * Reads what a model file of Marian of `fileBytes` bytes holds, not the values: version, sizes, names, shapes. Every length and
 * count is held against the file's size before memory is taken. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, what `read`
 * throws.
 */
export async function readItemHeaders(
  read: ReadBytes,
  fileBytes: number,
  place: FilePlace,
): Promise<readonly MarianItem[]> {
  const fields = new Fields(read, fileBytes, place);
  const count = await fields.begin();
  const sizes = await fields.sizes(count);
  const names = await fields.names(sizes);
  const shapes = await fields.shapes(sizes, names);
  await fields.skipPadding();
  const items = sizes.map(({ type, length }, index): MarianItem => {
    const [name, shape] = [names[index], shapes[index]];
    const known = TYPES.get(type) ?? fields.refuseType(name, type);
    // A product beyond 2^53 is inexact, but then far above the size of any file.
    const bytes = shape.reduce((product, size) => product * size, BYTES[known]);
    const needed = bytes + (known === 'quantised8' ? MULTIPLIER_BYTES : 0);
    if (bytes === 0 || needed > length) {
      fields.refuse(
        `item ${quote(name)} bytes`,
        length,
        `at least ${needed}, for ${known} [${shape.join(', ')}], and not 0`,
      );
    }
    return { name, type: known, shape, begin: fields.take(`item ${quote(name)}`, length), bytes };
  });
  if (fields.position !== fileBytes) {
    fields.refuse('file size', `${fileBytes} bytes`, `${fields.position}, where the last item ends`);
  }
  return items;
}

interface ItemSize {
  readonly nameBytes: number;
  readonly type: number;
  readonly rank: number;
  readonly length: number;
}

class Fields {
  readonly #read: ReadBytes;
  readonly #fileBytes: number;
  readonly #place: FilePlace;
  #at = 0;

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

  refuseType(name: string, type: number): never {
    const { folder, file } = this.#place;
    const hex = `0x${type.toString(16)}`;
    throw unsupportedModel(
      `${file} in ${folder}: item ${quote(name)} has the element type ${hex}, which is packed for one kind of machine or not known. Convert the model again with marian-conv --gemm-type intgemm8, or float32.`,
      { folder, file, field: `item ${name} type`, received: hex, required: ['float32', 'float16', 'intgemm8'] },
    );
  }

  /** How many items there are. */
  async begin(): Promise<number> {
    const { folder, file } = this.#place;
    const first = await this.#read(0, Math.min(this.#fileBytes, 64));
    const foreign = foreignContent(first);
    if (foreign !== undefined) {
      throw invalidFolder(`${file} in ${folder} holds no weights: it is ${foreign}`, {
        folder,
        file,
        field: 'the whole file',
        required: 'a model of Marian',
      });
    }
    const view = await this.#bytes('version and item count', BEGIN_BYTES);
    const version = this.#integer(view, 0, 'version');
    if (version !== VERSION) this.refuse('version', version, `${VERSION}`);
    const count = this.#integer(view, 8, 'item count');
    const possible = Math.min(MAX_ITEMS, Math.floor((this.#fileBytes - BEGIN_BYTES) / HEADER_BYTES));
    if (count > possible)
      this.refuse('item count', count, `at most ${possible}, in a file of ${this.#fileBytes} bytes`);
    return count;
  }

  async sizes(count: number): Promise<readonly ItemSize[]> {
    const view = await this.#bytes('sizes of items', count * HEADER_BYTES);
    return Array.from({ length: count }, (_, index) => {
      const number = (field: number, what: string): number =>
        this.#integer(view, index * HEADER_BYTES + 8 * field, `${what} of item ${index}`);
      const nameBytes = number(0, 'name length');
      if (nameBytes < 2 || nameBytes > MAX_NAME_BYTES) {
        this.refuse(`name length of item ${index}`, nameBytes, `from 2 to ${MAX_NAME_BYTES}`);
      }
      const rank = number(2, 'rank');
      if (rank > MAX_DIMENSIONS) this.refuse(`rank of item ${index}`, rank, `at most ${MAX_DIMENSIONS}`);
      return { nameBytes, type: number(1, 'type'), rank, length: number(3, 'bytes') };
    });
  }

  /** Names, which end in a zero byte; each is there once. */
  async names(sizes: readonly ItemSize[]): Promise<readonly string[]> {
    const view = await this.#bytes(
      'names of items',
      sizes.reduce((sum, { nameBytes }) => sum + nameBytes, 0),
    );
    const seen = new Set<string>();
    let at = 0;
    for (const { nameBytes } of sizes) {
      const bytes = new Uint8Array(view.buffer, view.byteOffset + at, nameBytes);
      at += nameBytes;
      // Names are ASCII.
      if (bytes[nameBytes - 1] !== 0 || bytes.subarray(0, -1).some((byte) => byte < 32 || byte > 126)) {
        this.refuse(`name of item ${seen.size}`, 'no text', 'printable characters and a zero byte');
      }
      const name = new TextDecoder().decode(bytes.subarray(0, -1));
      if (seen.has(name)) this.refuse(`item ${quote(name)}`, 'there twice', 'there once');
      seen.add(name);
    }
    return [...seen];
  }

  async shapes(sizes: readonly ItemSize[], names: readonly string[]): Promise<readonly (readonly number[])[]> {
    const view = await this.#bytes(
      'shapes of items',
      sizes.reduce((sum, { rank }) => sum + 4 * rank, 0),
    );
    let at = 0;
    return sizes.map(({ rank }, index) =>
      Array.from({ length: rank }, () => {
        const size = view.getInt32(at, true);
        at += 4;
        if (size < 1) this.refuse(`item ${quote(names[index])} shape`, size, 'of sizes from 1 on');
        return size;
      }),
    );
  }

  /** What fills the file up to where values begin, whose length stands before it. */
  async skipPadding(): Promise<void> {
    this.take('padding', this.#integer(await this.#bytes('padding length', 8), 0, 'padding length'));
  }

  /** Goes on behind so many bytes; returns where they began. */
  take(field: string, bytes: number): number {
    const from = this.#at;
    if (from + bytes > this.#fileBytes) {
      this.refuse(field, `the bytes ${from} to ${from + bytes}`, `within the file, which has ${this.#fileBytes} bytes`);
    }
    this.#at = from + bytes;
    return from;
  }

  async #bytes(field: string, bytes: number): Promise<DataView> {
    const from = this.take(field, bytes);
    const read = bytes === 0 ? allocate(0, this.#place) : await this.#read(from, bytes);
    return new DataView(read.buffer, read.byteOffset, bytes);
  }

  /** An integer of 64 bits that a number holds exactly. */
  #integer(view: DataView, at: number, field: string): number {
    const value = Number(view.getBigUint64(at, true));
    return Number.isSafeInteger(value) ? value : this.refuse(field, value, 'below 2^53');
  }
}
