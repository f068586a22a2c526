import { basename, dirname } from 'node:path';
import type { Yielder } from '@foretoken/core';
import { FOREIGN_BYTES, foreignContent } from '../folder/foreign-content.js';
import { decodeUtf8, isObject, parseJson } from '../folder/json.js';
import { FILE_BYTES } from '../folder/manifest.js';
import { invalidFolder, quote } from '../folder/refusal.js';
import { allocate, type FilePlace, type OpenFile, openRegularFile, readExactly } from '../folder/safe-file.js';
import { bfloat16BitsToFloat32, float16BitsToFloat32 } from './float16.js';

export { float32ToFloat16Bits } from './float16.js';

const DTYPE_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;

/** Element types a safetensors file may name. */
export type WeightDtype = keyof typeof DTYPE_BYTES;

/** One tensor, row-major and little-endian; `data` is a view of the file's bytes, at any alignment. */
export interface WeightTensor {
  readonly dtype: WeightDtype;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

interface Entry {
  readonly name: string;
  readonly dtype: WeightDtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** The limit of the format's reference implementation. */
const HEADER_BYTES = 100_000_000;
const MOST_DIMENSIONS = 16;
const LENGTH_BYTES = 8;

/**
 * Reads all tensors of a safetensors file by name. The header is checked against the file's size before memory is taken.
 *
 * Throws `INVALID_MODEL_FOLDER` naming the tensor and what is wrong with it.
 */
export async function readSafetensors(path: string, signal?: AbortSignal): Promise<ReadonlyMap<string, WeightTensor>> {
  const place = { folder: dirname(path), file: basename(path) };
  // Symbolic links are how download caches lay out a weights folder.
  const open = await openRegularFile(place, { links: true });
  try {
    if (open.bytes > FILE_BYTES) throw refuse(place, 'file size', open.bytes, `at most ${FILE_BYTES} bytes`);
    const header = await readHeader(open, place);
    const dataBytes = open.bytes - LENGTH_BYTES - header.length;
    const entries = parseHeader(decodeUtf8(header, place.file, place), dataBytes, place);
    const data = allocate(dataBytes, place);
    let offset = -(LENGTH_BYTES + header.length);
    for await (const chunk of readExactly(open, place)) {
      if (offset + chunk.length > 0) data.set(chunk.subarray(Math.max(0, -offset)), Math.max(0, offset));
      signal?.throwIfAborted();
      offset += chunk.length;
    }
    return tensorsOf(entries, data);
  } finally {
    await open.handle.close();
  }
}

/** Reads all tensors of a safetensors file's content, as `readSafetensors` does; their data are views of it. */
export function parseSafetensors(bytes: Uint8Array, place: FilePlace): ReadonlyMap<string, WeightTensor> {
  if (bytes.length < LENGTH_BYTES) throw refuse(place, 'file size', bytes.length, `at least ${LENGTH_BYTES} bytes`);
  const begin = LENGTH_BYTES + headerLength(bytes, bytes.length, place);
  const header = decodeUtf8(bytes.subarray(LENGTH_BYTES, begin), place.file, place);
  return tensorsOf(parseHeader(header, bytes.length - begin, place), bytes.subarray(begin));
}

function tensorsOf(entries: readonly Entry[], data: Uint8Array): ReadonlyMap<string, WeightTensor> {
  return new Map(
    entries.map(({ name, dtype, shape, begin, end }) => [name, { dtype, shape, data: data.subarray(begin, end) }]),
  );
}

/** A tensor's values as fp32; F16 and BF16 are exact. Throws `INVALID_MODEL_FOLDER` for other element types. */
export function toFloat32({ dtype, data }: WeightTensor): Float32Array {
  switch (dtype) {
    case 'F32':
      return new Float32Array(aligned(data));
    case 'F16':
      return float16BitsToFloat32(new Uint16Array(aligned(data)));
    case 'BF16':
      return bfloat16BitsToFloat32(new Uint16Array(aligned(data)));
    default:
      throw invalidFolder(`A tensor has element type ${dtype}, but F32, F16 or BF16 is required.`, {
        field: 'dtype',
        received: dtype,
        required: ['F32', 'F16', 'BF16'],
      });
  }
}

const PIECE = 2 ** 20;

/** As `toFloat32`, with turns for other work in between; the values may be a view of the tensor's bytes. */
export async function toFloat32InPieces(tensor: WeightTensor, pace: Yielder): Promise<Float32Array> {
  const { dtype, data } = tensor;
  if (dtype === 'F32' && data.byteOffset % 4 === 0) {
    return new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  }
  const size = DTYPE_BYTES[dtype];
  const values = new Float32Array(data.byteLength / size);
  for (let at = 0; at < values.length; at += PIECE) {
    const piece = { ...tensor, data: data.subarray(at * size, (at + PIECE) * size) };
    values.set(toFloat32(piece), at);
    if (pace.due()) await pace.yield();
  }
  return values;
}

/** A copy in a buffer of its own, since typed arrays need aligned offsets and tensors may lie anywhere. */
function aligned(data: Uint8Array): ArrayBuffer {
  return new Uint8Array(data).buffer;
}

async function readHeader(open: OpenFile, place: FilePlace): Promise<Uint8Array> {
  if (open.bytes < LENGTH_BYTES) throw refuse(place, 'file size', open.bytes, `at least ${LENGTH_BYTES} bytes`);
  const begin = await readAt(open, Math.min(FOREIGN_BYTES, open.bytes), 0, place);
  return readAt(open, headerLength(begin, open.bytes, place), LENGTH_BYTES, place);
}

function headerLength(begin: Uint8Array, fileBytes: number, place: FilePlace): number {
  const announced = new DataView(begin.buffer, begin.byteOffset).getBigUint64(0, true);
  const most = Math.min(HEADER_BYTES, fileBytes - LENGTH_BYTES);
  if (announced >= 2n && announced <= BigInt(most)) return Number(announced);
  const foreign = foreignContent(begin);
  if (foreign === undefined) throw refuse(place, 'header length', String(announced), `from 2 to ${most}`);
  throw invalidFolder(`${place.file} in ${place.folder} holds no weights: it is ${foreign}`, {
    ...place,
    required: 'a safetensors file',
  });
}

async function readAt(open: OpenFile, length: number, position: number, place: FilePlace): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await open.handle.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) throw refuse(place, 'file size', position + done, `${open.bytes}, as when it was opened`);
    done += bytesRead;
  }
  return bytes;
}

function parseHeader(text: string, dataBytes: number, place: FilePlace): Entry[] {
  const header = parseJson(text, place.file, { ...place, field: 'header' });
  if (!isObject(header)) throw refuse(place, 'header', header, 'a JSON object');
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name !== '__metadata__') entries.push(parseEntry(name, value, place));
    else if (!isObject(value) || !Object.values(value).every((fact) => typeof fact === 'string')) {
      throw refuse(place, name, value, 'an object of texts');
    }
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const entry of entries) {
    if (entry.begin !== end) {
      const field = `tensor ${quote(entry.name)} data_offsets`;
      throw refuse(place, field, [entry.begin, entry.end], `to begin at ${end}, where the data before it ends`);
    }
    end = entry.end;
  }
  if (end !== dataBytes) throw refuse(place, 'file size', dataBytes, `${end} bytes of data, as the header says`);
  return entries;
}

function parseEntry(name: string, value: unknown, place: FilePlace): Entry {
  const tensor = `tensor ${quote(name)}`;
  if (!isObject(value)) throw refuse(place, tensor, value, 'an object');
  const { dtype, shape, data_offsets: offsets, ...rest } = value;
  const [extra] = Object.keys(rest);
  if (extra !== undefined) throw refuse(place, `${tensor} ${quote(extra)}`, rest[extra], 'absent');
  if (typeof dtype !== 'string' || !Object.hasOwn(DTYPE_BYTES, dtype)) {
    throw refuse(place, `${tensor} dtype`, dtype, `one of ${Object.keys(DTYPE_BYTES).join(', ')}`);
  }
  if (!isIntegers(shape) || shape.length > MOST_DIMENSIONS) {
    throw refuse(place, `${tensor} shape`, shape, `at most ${MOST_DIMENSIONS} integers from 0`);
  }
  if (!isIntegers(offsets) || offsets.length !== 2) {
    throw refuse(place, `${tensor} data_offsets`, offsets, 'two integers from 0');
  }
  const [begin, end] = offsets as [number, number];
  // A product beyond 2^53 is inexact, but then far above any length, so the comparison still holds.
  const length = shape.reduce((product, size) => product * size, DTYPE_BYTES[dtype as WeightDtype]);
  if (end - begin !== length) {
    throw refuse(place, `${tensor} data_offsets`, offsets, `${length} bytes apart, for ${dtype} ${quote(shape)}`);
  }
  return { name, dtype: dtype as WeightDtype, shape, begin, end };
}

function isIntegers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function refuse(place: FilePlace, field: string, received: unknown, required: string): Error {
  return invalidFolder(
    `${place.file} in ${place.folder}: ${field} is ${quote(received)}, but it must be ${required}. Fetch or export the weights again.`,
    { ...place, field, received, required },
  );
}
