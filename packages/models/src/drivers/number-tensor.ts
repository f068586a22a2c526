import type { OnnxRuntime, Tensor } from '@foretoken/core/runtime';
import type { GraphTensor } from '../folder/manifest.js';

/** Numbers as a tensor of the type that a graph's input has. */
export function numberTensor(
  { Tensor }: OnnxRuntime,
  type: GraphTensor['type'],
  numbers: ArrayLike<number>,
  dims: readonly number[],
): Tensor {
  switch (type) {
    case 'int64':
      return new Tensor('int64', BigInt64Array.from(numbers, BigInt), dims);
    case 'int32':
      return new Tensor('int32', Int32Array.from(numbers), dims);
    case 'bool':
      return new Tensor('bool', Uint8Array.from(numbers), dims);
    case 'float32':
      return new Tensor('float32', Float32Array.from(numbers), dims);
  }
}
