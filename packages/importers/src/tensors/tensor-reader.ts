import { ForetokenError } from '@foretoken/core';
import type { Yielder } from '@foretoken/core/kit';
import { quote } from '@foretoken/models/internal';
import type { WeightsFolder } from '../readers/hugging-face/weights-folder.js';
import type { StoredTensor } from '../readers/stored-tensor.js';
import { findNonFinite } from './half-storage.js';
import type { DeferredDense } from './matrices.js';
import { toFloat32InPieces } from './to-float32.js';

/** Gives a weight of the checkpoint by name, checked against the shape the architecture requires. */
export type TensorOf = (name: string, dims: readonly number[]) => DeferredDense;

/**
 * The weights of a folder by name and shape, as fp32. Throws `INVALID_MODEL_FOLDER`: at once for a tensor that does not fit,
 * when the values are made for one that holds NaN or an infinite number.
 */
export function tensorReader(folder: WeightsFolder): TensorOf {
  return (name, dims) => {
    const tensor = folder.tensor(name, dims);
    return { dims, values: (pace) => finiteValues(folder, name, tensor, pace) };
  };
}

/** The weights of a network that graphs keep under a name of its own, with a dot before the checkpoint's name. */
export function keptUnderName(tensorOf: TensorOf): TensorOf {
  return (name, dims) => tensorOf(name.slice(name.indexOf('.') + 1), dims);
}

async function finiteValues(
  { path }: WeightsFolder,
  name: string,
  { dtype, shape, file, ownName = name, read }: StoredTensor,
  pace: Yielder,
): Promise<Float32Array> {
  const values = await toFloat32InPieces({ dtype, shape, data: await read(pace) }, pace);
  const index = await findNonFinite(values, pace);
  if (index < 0) return values;
  const received = values[index];
  throw new ForetokenError(
    'INVALID_MODEL_FOLDER',
    `${file} in ${path}: tensor ${quote(ownName)} holds ${received} at index ${index}, but weights must be finite numbers. Train or export the model again.`,
    { folder: path, file, field: ownName, index, received, required: 'finite numbers' },
  );
}
