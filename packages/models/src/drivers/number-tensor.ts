import type { OnnxRuntime, Tensor } from '@foretoken/core/runtime';
import type { GraphTensor } from '../folder/manifest.js';
import { floatTensor } from './float-tensor.js';

/** Numbers, whole ones of 32 bits unless floats are wanted, as a tensor of the type that a graph's input has. */
export function numberTensor(
  runtime: OnnxRuntime,
  type: GraphTensor['type'],
  numbers: ArrayLike<number>,
  dims: readonly number[],
): Tensor {
  const { Tensor } = runtime;
  switch (type) {
    case 'int64':
      return new Tensor('int64', int64(numbers), dims);
    case 'int32':
      return new Tensor('int32', Int32Array.from(numbers), dims);
    case 'bool':
      return new Tensor('bool', Uint8Array.from(numbers), dims);
    default:
      return floatTensor(runtime, type, Float32Array.from(numbers), dims);
  }
}

/** Ten times as fast as a BigInt for each. */
function int64(numbers: ArrayLike<number>): BigInt64Array {
  const halves = new Int32Array(2 * numbers.length);
  for (let index = 0; index < numbers.length; index++) {
    halves[2 * index] = numbers[index];
    halves[2 * index + 1] = numbers[index] < 0 ? -1 : 0;
  }
  return new BigInt64Array(halves.buffer);
}
