import type { FilePlace } from '@foretoken/models/internal';
import { shiftedSinusoidTable, transpose } from '../../../tensors/matrices.js';
import { toFloat32InPieces } from '../../../tensors/to-float32.js';
import type { StoredTensor } from '../../stored-tensor.js';

/** A tensor of zeros, which the file leaves out. */
export function zeros({ file }: FilePlace, shape: readonly number[]): StoredTensor {
  const bytes = shape.reduce((product, size) => product * size, 4);
  return { dtype: 'F32', shape, bytes: 0, file, read: async () => new Uint8Array(bytes) };
}

/** Positions from 1 on, as CTranslate2 computes them where it has no table. */
export function sinusoids({ file }: FilePlace, positions: number, width: number): StoredTensor {
  const { dims, values } = shiftedSinusoidTable(positions, width, 1);
  return {
    dtype: 'F32',
    shape: dims,
    bytes: 0,
    file,
    read: async (pace) => new Uint8Array((await values(pace)).buffer),
  };
}

/** A matrix with its rows as columns. */
export function transposed(tensor: StoredTensor): StoredTensor {
  const { dtype, shape } = tensor;
  const { dims, values } = transpose({
    dims: shape,
    values: async (pace) => toFloat32InPieces({ dtype, shape, data: await tensor.read(pace) }, pace),
  });
  return {
    ...tensor,
    dtype: 'F32',
    shape: dims,
    read: async (pace) => new Uint8Array((await values(pace)).buffer),
  };
}
