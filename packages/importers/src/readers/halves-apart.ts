import type { Yielder } from '@foretoken/core/kit';
import { toFloat32InPieces } from '../tensors/to-float32.js';
import type { StoredTensor } from './stored-tensor.js';

/**
 * Rows of each of so many heads that lie as pairs of a real and an imaginary part, for rotary positions of neighbouring numbers, put so
 * that all real parts come first.
 */
export function halvesApart(tensor: StoredTensor, heads: number): StoredTensor {
  const read = async (pace: Yielder): Promise<Uint8Array> => {
    const { dtype, shape } = tensor;
    const from = await toFloat32InPieces({ dtype, shape, data: await tensor.read(pace) }, pace);
    const rows = shape[0];
    const columns = from.length / rows;
    const half = rows / heads / 2;
    // What does not fit is refused by its shape, when it is asked for.
    if (!Number.isInteger(half)) return new Uint8Array(from.buffer, from.byteOffset, from.byteLength);
    const values = new Float32Array(from.length);
    for (let row = 0; row < rows; row++) {
      const head = Math.floor(row / (2 * half));
      const within = row % (2 * half);
      const source = 2 * half * head + 2 * (within % half) + Math.floor(within / half);
      values.set(from.subarray(source * columns, (source + 1) * columns), row * columns);
      if (pace.due()) await pace.yield();
    }
    return new Uint8Array(values.buffer);
  };
  return { ...tensor, dtype: 'F32', read };
}
