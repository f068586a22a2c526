import { cacheValuesOf, type OnnxRuntime, type Tensor } from '@foretoken/core/runtime';
import { float16BitsToFloat32 } from '../weights/float16.js';
import { float32ToFloat16Bits } from '../weights/to-float16.js';

/** Element types of floats that graphs are fed and give; bfloat16 is none that ONNX Runtime has in JavaScript. */
export const FLOAT_TYPES = ['float32', 'float16', 'float64'] as const;
/** One of them. */
export type FloatType = (typeof FLOAT_TYPES)[number];

/** Whether an element type is one of floats. */
export function isFloatType(type: string): type is FloatType {
  return FLOAT_TYPES.some((one) => one === type);
}

/** Floats as a tensor of the type that a graph's input has; those of float32 are not copied. */
export function floatTensor(
  { Tensor }: OnnxRuntime,
  type: FloatType,
  values: Float32Array,
  dims: readonly number[],
): Tensor {
  if (type === 'float16') return new Tensor('float16', float32ToFloat16Bits(values), dims);
  return type === 'float64'
    ? new Tensor('float64', Float64Array.from(values), dims)
    : new Tensor('float32', values, dims);
}

/** What reads floats of an output from one place to another, and makes float32 of others; undefined for an output of another type. */
export function floatReader(tensor: Tensor): ((begin: number, end: number) => Float32Array) | undefined {
  const { data } = tensor;
  if (data instanceof Float32Array) return (begin, end) => data.subarray(begin, end);
  if (data instanceof Float64Array) return (begin, end) => Float32Array.from(data.subarray(begin, end));
  if (tensor.type !== 'float16') return undefined;
  const values = cacheValuesOf(tensor);
  if (values instanceof Float32Array) return undefined;
  return (begin, end) => float16BitsToFloat32(values.subarray(begin, end));
}
