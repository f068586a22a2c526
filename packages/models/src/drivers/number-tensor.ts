import type { OnnxRuntime, Tensor } from '@foretoken/core/runtime';
import { floatTensor, isFloatType } from './float-tensor.js';

/**
 * Numbers, whole ones of 32 bits unless floats are wanted, as a tensor of the type that a graph's input has: a copy. An input that says
 * no type takes int32.
 */
export function numberTensor(
  runtime: OnnxRuntime,
  type: string | undefined,
  numbers: ArrayLike<number>,
  dims: readonly number[],
): Tensor {
  const { Tensor } = runtime;
  if (type === 'int64') return new Tensor('int64', int64(numbers), dims);
  if (type === 'bool') return new Tensor('bool', Uint8Array.from(numbers), dims);
  if (type !== undefined && isFloatType(type)) return floatTensor(runtime, type, Float32Array.from(numbers), dims);
  return new Tensor('int32', Int32Array.from(numbers), dims);
}

/** Their halves are written apart, since a mask of sound is long: ten times as fast as a BigInt for each. */
function int64(numbers: ArrayLike<number>): BigInt64Array {
  const halves = new Int32Array(2 * numbers.length);
  for (let index = 0; index < numbers.length; index++) {
    halves[2 * index] = numbers[index];
    halves[2 * index + 1] = numbers[index] < 0 ? -1 : 0;
  }
  return new BigInt64Array(halves.buffer);
}
