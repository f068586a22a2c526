import { ForetokenError } from '../contract/errors.js';
import { assertInteger, wrongValue } from '../kit/checks.js';
import { oneOf } from '../kit/options.js';
import { show, thrownWords } from '../kit/show.js';
import { isTypedArray } from '../kit/typed-arrays.js';
import type { OnnxRuntime, Tensor } from './onnx-runtime.js';

/** Element types that a graph may keep keys and values in. */
export type CacheType = 'float32' | 'float16';

/** Keys and values as a graph gives them; halves as their 16 bits, since a cache only moves them. */
export type CacheValues = Float32Array | Uint16Array;

const cacheType = oneOf('float32', 'float16');

/** Most numbers of one array. */
const MAX_NUMBERS = 2 ** 32 - 1;

/** Zeros of an element type. Throws `INVALID_ARGUMENT` for another type, and for more numbers than there is memory for. */
export function cacheZeros(type: CacheType, length: number): CacheValues {
  const known = cacheType('type', type);
  assertInteger('length', length, 0, MAX_NUMBERS);
  try {
    return known === 'float16' ? new Uint16Array(length) : new Float32Array(length);
  } catch (cause) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `There is no memory for ${length} numbers of ${known}. Open fewer rows, or shorter ones.`,
      { option: 'length', received: length },
      { cause },
    );
  }
}

/** The element type of these values. */
export function cacheTypeOf(values: CacheValues): CacheType {
  return values instanceof Uint16Array ? 'float16' : 'float32';
}

/** Throws `INVALID_ARGUMENT` unless values are of the element type, and as many as there may be. */
export function assertCacheValues(name: string, values: CacheValues, type: CacheType, min: number, max: number): void {
  if (
    isTypedArray(type === 'float16' ? 'Uint16Array' : 'Float32Array', values) &&
    values.length >= min &&
    values.length <= max
  )
    return;
  const required = `a ${type === 'float16' ? 'Uint16Array' : 'Float32Array'} of ${min === max ? min : `${min} to ${max}`}`;
  throw wrongValue(name, values, required);
}

/** The values of a graph's output, without a copy. Throws `INVALID_ARGUMENT` for what is no tensor of fp32 or fp16. */
export function cacheValuesOf(tensor: Tensor): CacheValues {
  const values = valuesOf(tensor);
  if (values !== undefined) return values;
  throw wrongValue('tensor', tensor, 'a tensor of float32 or float16 on the CPU');
}

function valuesOf(tensor: Tensor): CacheValues | undefined {
  try {
    const { type, data } = tensor;
    if (type !== 'float16') return data instanceof Float32Array ? data : undefined;
    if (data instanceof Uint16Array) return data;
    // Where the language has Float16Array, runtimes may give that.
    const { buffer, byteOffset, byteLength, length } = data as unknown as Uint16Array;
    return byteLength === 2 * length ? new Uint16Array(buffer, byteOffset, length) : undefined;
  } catch {
    return undefined;
  }
}

const MAX_DIMS = 16;

/** A graph's input of these values, without a copy. Throws `INVALID_ARGUMENT` where values, dims and runtime make none. */
export function cacheTensor(runtime: OnnxRuntime, values: CacheValues, dims: readonly number[]): Tensor {
  try {
    // A tensor has few dims, and an odd array of them may be endless.
    if (!(dims.length <= MAX_DIMS)) throw new RangeError('those are no dims.');
    return values instanceof Uint16Array
      ? new runtime.Tensor('float16', values, dims)
      : new runtime.Tensor('float32', values, dims);
  } catch (cause) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `No tensor can be made of ${show(values)} with the dims ${show(dims)}: ${thrownWords(cause)} ` +
        'A Float32Array or a Uint16Array is required, with dims that multiply to its length, and ONNX Runtime as a module.',
      { option: 'values', received: values },
      { cause },
    );
  }
}
