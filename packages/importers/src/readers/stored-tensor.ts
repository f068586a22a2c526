import type { Yielder } from '@foretoken/core/kit';
import type { WeightDtype } from '@foretoken/models/internal';

/** A tensor of a checkpoint: what is known of it, and its bytes when they are asked for. */
export interface StoredTensor {
  readonly dtype: WeightDtype;
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Name of the file that holds it. */
  readonly file: string;
  /** What that file calls it, where another name is used here. */
  readonly ownName?: string | undefined;
  /**
   * Reads its bytes, row-major and little-endian, into memory of their own. Throws `INVALID_MODEL_FOLDER` where the file was
   * changed since it was opened, and the signal's reason.
   */
  readonly read: (pace: Yielder) => Promise<Uint8Array>;
}

/** Tensors of a checkpoint by name, in one file or in several. */
export type TensorStore = ReadonlyMap<string, StoredTensor>;
