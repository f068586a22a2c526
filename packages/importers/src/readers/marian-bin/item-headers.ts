import { type FilePlace, quote, unsupportedModel } from '@foretoken/models/internal';
import { FileFields, type ReadBytes } from '../file-fields.js';

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

const VERSION = 1;
/** Bytes that are read first: version and count. */
export const BEGIN_BYTES = 16;
const HEADER_BYTES = 32;
/** Bytes of what follows values in 8 bits. */
export const MULTIPLIER_BYTES = 4;
// Far above those of any model.
const MAX_ITEMS = 16_384;

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
  const fields = new FileFields(read, fileBytes, place);
  const count = await readBegin(fields);
  const sizes = await readSizes(fields, count);
  const names = await readNames(fields, sizes);
  const shapes = await readShapes(fields, sizes, names);
  // What fills the file up to where values begin, whose length stands before it.
  const padding = await fields.bytes('padding length', 8);
  fields.take('padding', integerAt(fields, padding, 0, 'padding length'));
  const items = sizes.map(({ type, length }, index): MarianItem => {
    const [name, shape] = [names[index], shapes[index]];
    const known = TYPES.get(type) ?? refuseType(name, type, place);
    // A product beyond 2^53 is inexact, but then far above the size of any file.
    const bytes = shape.reduce((product, size) => product * size, BYTES[known]);
    const needed = bytes + (known === 'quantised8' ? MULTIPLIER_BYTES : 0);
    if (bytes === 0 || needed > length) {
      const required = `at least ${needed}, for ${known} [${shape.join(', ')}], and not 0`;
      fields.refuse(`item ${quote(name)} bytes`, length, required);
    }
    return { name, type: known, shape, begin: fields.take(`item ${quote(name)}`, length), bytes };
  });
  fields.end('item');
  return items;
}

interface ItemSize {
  readonly nameBytes: number;
  readonly type: number;
  readonly rank: number;
  readonly length: number;
}

function refuseType(name: string, type: number, { folder, file }: FilePlace): never {
  const hex = `0x${type.toString(16)}`;
  throw unsupportedModel(
    `${file} in ${folder}: item ${quote(name)} has the element type ${hex}, which is packed for one kind of machine or not known. Convert the model again with marian-conv --gemm-type intgemm8, or float32.`,
    { folder, file, field: `item ${name} type`, received: hex, required: ['float32', 'float16', 'intgemm8'] },
  );
}

/** How many items there are. */
async function readBegin(fields: FileFields): Promise<number> {
  await fields.refuseForeign('a model of Marian');
  const view = await fields.bytes('version and item count', BEGIN_BYTES);
  const version = integerAt(fields, view, 0, 'version');
  if (version !== VERSION) fields.refuse('version', version, `${VERSION}`);
  return fields.count('item count', integerAt(fields, view, 8, 'item count'), HEADER_BYTES, MAX_ITEMS);
}

async function readSizes(fields: FileFields, count: number): Promise<readonly ItemSize[]> {
  const view = await fields.bytes('sizes of items', count * HEADER_BYTES);
  return Array.from({ length: count }, (_, index) => {
    const number = (field: number, what: string): number =>
      integerAt(fields, view, index * HEADER_BYTES + 8 * field, `${what} of item ${index}`);
    return {
      nameBytes: fields.nameLength(`name length of item ${index}`, number(0, 'name length')),
      type: number(1, 'type'),
      rank: fields.rank(`rank of item ${index}`, number(2, 'rank')),
      length: number(3, 'bytes'),
    };
  });
}

/** Names; each is there once. */
async function readNames(fields: FileFields, sizes: readonly ItemSize[]): Promise<readonly string[]> {
  const total = sizes.reduce((sum, { nameBytes }) => sum + nameBytes, 0);
  const { buffer, byteOffset } = await fields.bytes('names of items', total);
  const seen = new Set<string>();
  let at = byteOffset;
  for (const { nameBytes } of sizes) {
    const name = fields.name(`name of item ${seen.size}`, new DataView(buffer, at, nameBytes));
    at += nameBytes;
    if (seen.has(name)) fields.refuse(`item ${quote(name)}`, 'there twice', 'there once');
    seen.add(name);
  }
  return [...seen];
}

async function readShapes(
  fields: FileFields,
  sizes: readonly ItemSize[],
  names: readonly string[],
): Promise<readonly (readonly number[])[]> {
  const total = sizes.reduce((sum, { rank }) => sum + 4 * rank, 0);
  const view = await fields.bytes('shapes of items', total);
  let at = 0;
  return sizes.map(({ rank }, index) =>
    Array.from({ length: rank }, () => {
      const size = view.getInt32(at, true);
      at += 4;
      return size >= 1 ? size : fields.refuse(`item ${quote(names[index])} shape`, size, 'of sizes from 1 on');
    }),
  );
}

/** An integer of 64 bits that a number holds exactly. */
function integerAt(fields: FileFields, view: DataView, at: number, field: string): number {
  const value = Number(view.getBigUint64(at, true));
  return Number.isSafeInteger(value) ? value : fields.refuse(field, value, 'below 2^53');
}
