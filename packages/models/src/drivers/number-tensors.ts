import type { OnnxRuntime, Tensor } from '@foretoken/core/runtime';

/** Whole numbers as a graph takes them: int64, int32, or as floats. */
export function numberTensor(
  { Tensor }: OnnxRuntime,
  type: string | undefined,
  values: Int32Array,
  dims: readonly number[],
): Tensor {
  if (type === 'int64') return new Tensor('int64', wide(values), dims);
  if (type === 'float32') return new Tensor('float32', Float32Array.from(values), dims);
  return new Tensor('int32', values, dims);
}

/** The same numbers in 64 bits. Their halves are written apart, since a mask of sound is long and numbers made one by one are slow. */
function wide(values: Int32Array): BigInt64Array {
  const numbers = new BigInt64Array(values.length);
  const halves = new Int32Array(numbers.buffer);
  for (let index = 0; index < values.length; index++) {
    halves[2 * index] = values[index];
    halves[2 * index + 1] = values[index] >> 31;
  }
  return numbers;
}
