import type { OnnxRuntime, Tensor } from './onnx-runtime.js';

/** Element types that a graph may keep keys and values in. */
export type CacheType = 'float32' | 'float16';

/** Keys and values as a graph gives them; halves as their 16 bits, since a cache only moves them. */
export type CacheValues = Float32Array | Uint16Array;

/** Zeros of an element type. */
export function cacheZeros(type: CacheType, length: number): CacheValues {
  return type === 'float16' ? new Uint16Array(length) : new Float32Array(length);
}

/** The element type of these values. */
export function cacheTypeOf(values: CacheValues): CacheType {
  return values instanceof Uint16Array ? 'float16' : 'float32';
}

/** The values of a graph's output, without a copy. */
export function cacheValuesOf({ type, data }: Tensor): CacheValues {
  if (type === 'float16') {
    // Where the language has Float16Array, runtimes may give that.
    const { buffer, byteOffset, length } = data as Uint16Array;
    return new Uint16Array(buffer, byteOffset, length);
  }
  return data as Float32Array;
}

/** A graph's input of these values, without a copy. */
export function cacheTensor({ Tensor }: OnnxRuntime, values: CacheValues, dims: readonly number[]): Tensor {
  return values instanceof Uint16Array ? new Tensor('float16', values, dims) : new Tensor('float32', values, dims);
}
