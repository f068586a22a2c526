import type { OnnxRuntime, Tensor } from '@foretoken/core/runtime';

/** Whole numbers as a graph takes them: int64, int32, or as floats. */
export function numberTensor(
  { Tensor }: OnnxRuntime,
  type: string | undefined,
  values: Int32Array,
  dims: readonly number[],
): Tensor {
  if (type === 'int64') return new Tensor('int64', BigInt64Array.from(values, BigInt), dims);
  if (type === 'float32') return new Tensor('float32', Float32Array.from(values), dims);
  return new Tensor('int32', values, dims);
}
