import { foreignContent } from '../folder/foreign-content.js';
import { decodeUtf8, isObject, parseJson } from '../folder/json.js';
import { invalidFolder, quote } from '../folder/refusal.js';
import type { FilePlace } from '../io/collect-pieces.js';
import { bfloat16BitsToFloat32, float16BitsToFloat32 } from './float16.js';

/** Bytes of an element, by the name of its type in a safetensors file. */
export const DTYPE_BYTES = {
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
  /** Its element type. */
  readonly dtype: WeightDtype;
  /** Its dimensions. */
  readonly shape: readonly number[];
  /** Its bytes, little-endian. */
  readonly data: Uint8Array;
}

/** Where a tensor lies in a file: from `begin` to before `end`, in bytes after the header. */
export interface TensorPlace {
  readonly name: string;
  /** Its element type. */
  readonly dtype: WeightDtype;
  /** Its dimensions. */
  readonly shape: readonly number[];
  /** Where its bytes begin in the file. */
  readonly begin: number;
  /** Where they end: the first byte after them. */
  readonly end: number;
}

/** The limit of the format's reference implementation. */
const HEADER_BYTES = 100_000_000;
const MAX_DIMENSIONS = 16;
/** Bytes before the header, which say how long it is. */
export const LENGTH_BYTES = 8;

/** All tensors of a safetensors file's content; their data are views of it. Throws `INVALID_MODEL_FOLDER`. */
export function parseSafetensors(bytes: Uint8Array, place: FilePlace): ReadonlyMap<string, WeightTensor> {
  const begin = LENGTH_BYTES + headerLength(bytes, bytes.length, place);
  const data = bytes.subarray(begin);
  const places = parseHeader(bytes.subarray(LENGTH_BYTES, begin), data.length, place);
  return new Map(
    places.map(({ name, dtype, shape, begin, end }) => [name, { dtype, shape, data: data.subarray(begin, end) }]),
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

/** A copy in a buffer of its own, since typed arrays need aligned offsets and tensors may lie anywhere. */
function aligned(data: Uint8Array): ArrayBuffer {
  return new Uint8Array(data).buffer;
}

/** Bytes of the header, which a file's first eight bytes announce. Throws `INVALID_MODEL_FOLDER` where the file cannot hold it. */
export function headerLength(begin: Uint8Array, fileBytes: number, place: FilePlace): number {
  if (fileBytes < LENGTH_BYTES) throw refuseWeights(place, 'file size', fileBytes, `at least ${LENGTH_BYTES} bytes`);
  const announced = new DataView(begin.buffer, begin.byteOffset).getBigUint64(0, true);
  const max = Math.min(HEADER_BYTES, fileBytes - LENGTH_BYTES);
  if (announced >= 2n && announced <= BigInt(max)) return Number(announced);
  const foreign = foreignContent(begin);
  if (foreign === undefined) throw refuseWeights(place, 'header length', String(announced), `from 2 to ${max}`);
  throw invalidFolder(`${place.file} in ${place.folder} holds no weights: it is ${foreign}`, {
    ...place,
    required: 'a safetensors file',
  });
}

/**
 * The tensors that a header lists, in the order of their data, which is to have `dataBytes` bytes. Throws `INVALID_MODEL_FOLDER`
 * naming the tensor and what is wrong with it.
 */
export function parseHeader(header: Uint8Array, dataBytes: number, place: FilePlace): TensorPlace[] {
  const content = parseJson(decodeUtf8(header, place.file, place), place.file, { ...place, field: 'header' });
  if (!isObject(content)) throw refuseWeights(place, 'header', content, 'a JSON object');
  const entries: TensorPlace[] = [];
  for (const [name, value] of Object.entries(content)) {
    if (name !== '__metadata__') entries.push(parseEntry(name, value, place));
    else if (!isObject(value) || !Object.values(value).every((fact) => typeof fact === 'string')) {
      throw refuseWeights(place, name, value, 'an object of texts');
    }
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const entry of entries) {
    if (entry.begin !== end) {
      const field = `tensor ${quote(entry.name)} data_offsets`;
      throw refuseWeights(place, field, [entry.begin, entry.end], `to begin at ${end}, where the data before it ends`);
    }
    end = entry.end;
  }
  if (end !== dataBytes) throw refuseWeights(place, 'file size', dataBytes, `${end} bytes of data, as the header says`);
  return entries;
}

function parseEntry(name: string, value: unknown, place: FilePlace): TensorPlace {
  const tensor = `tensor ${quote(name)}`;
  if (!isObject(value)) throw refuseWeights(place, tensor, value, 'an object');
  const { dtype, shape, data_offsets: offsets, ...rest } = value;
  const [extra] = Object.keys(rest);
  if (extra !== undefined) throw refuseWeights(place, `${tensor} ${quote(extra)}`, rest[extra], 'absent');
  if (typeof dtype !== 'string' || !Object.hasOwn(DTYPE_BYTES, dtype)) {
    throw refuseWeights(place, `${tensor} dtype`, dtype, `one of ${Object.keys(DTYPE_BYTES).join(', ')}`);
  }
  if (!isIntegers(shape) || shape.length > MAX_DIMENSIONS) {
    throw refuseWeights(place, `${tensor} shape`, shape, `at most ${MAX_DIMENSIONS} integers from 0`);
  }
  if (!isIntegers(offsets) || offsets.length !== 2) {
    throw refuseWeights(place, `${tensor} data_offsets`, offsets, 'two integers from 0');
  }
  const [begin, end] = offsets;
  // A product beyond 2^53 is inexact, but then far above any length, so the comparison still holds.
  const length = shape.reduce((product, size) => product * size, DTYPE_BYTES[dtype as WeightDtype]);
  if (end - begin !== length) {
    throw refuseWeights(
      place,
      `${tensor} data_offsets`,
      offsets,
      `${length} bytes apart, for ${dtype} ${quote(shape)}`,
    );
  }
  return { name, dtype: dtype as WeightDtype, shape, begin, end };
}

function isIntegers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** A refusal of a safetensors file. */
export function refuseWeights(place: FilePlace, field: string, received: unknown, required: string): Error {
  return invalidFolder(
    `${place.file} in ${place.folder}: ${field} is ${quote(received)}, but it must be ${required}. Fetch or export the weights again.`,
    { ...place, field, received, required },
  );
}
