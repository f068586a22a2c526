import type { Yielder } from '@foretoken/core/kit';
import { DTYPE_BYTES, toFloat32, type WeightTensor } from '@foretoken/models/internal';

const PIECE = 2 ** 20;

/** As `toFloat32`, with turns for other work in between; the values may be a view of the tensor's bytes. */
export async function toFloat32InPieces(tensor: WeightTensor, pace: Yielder): Promise<Float32Array> {
  const { dtype, data } = tensor;
  if (dtype === 'F32' && data.byteOffset % 4 === 0) {
    return new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  }
  const size = DTYPE_BYTES[dtype];
  const values = new Float32Array(data.byteLength / size);
  for (let at = 0; at < values.length; at += PIECE) {
    const piece = { ...tensor, data: data.subarray(at * size, (at + PIECE) * size) };
    values.set(toFloat32(piece), at);
    if (pace.due()) await pace.yield();
  }
  return values;
}
