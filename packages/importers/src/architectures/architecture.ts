import { ForetokenError } from '@foretoken/core';
import type { Yielder } from '@foretoken/core/kit';
import type { ImportOptions } from '../import-options.js';
import type { WeightsFolder } from '../readers/hugging-face/weights-folder.js';
import { productsOf, type WeightPrecision } from '../tensors/weight-precision.js';
import type { ModelContent } from '../write-model.js';

/** Options of one import, where the name and the precision of weights are decided. */
export type NamedOptions = ImportOptions & { readonly name: string; readonly weights: WeightPrecision };

/** One architecture whose weights can become a model folder. */
export interface Architecture {
  readonly name: string;
  /** The values of `model_type` in config.json that it reads. */
  readonly kinds: readonly string[];
  /** Whether a folder of such a `model_type` is of this architecture, where that alone does not say it. */
  readonly recognises?: ((folder: WeightsFolder) => boolean) | undefined;
  /** The file that says how texts become tokens, where folders of it usually have no tokenizer.json. */
  readonly tokenizerFile?: string | undefined;
  /** Whether shortlists are read that lie beside weights of it, so that `shortlist` can be chosen. */
  readonly shortlists?: boolean | undefined;
  /** Manifest and files of the model. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, `INVALID_ARGUMENT`. */
  readonly build: (folder: WeightsFolder, options: NamedOptions, pace: Yielder) => Promise<ModelContent>;
}

/** Refuses 8 and 4 bits for an architecture whose products have no such form. Throws `INVALID_ARGUMENT`. */
export function refuseQuantised(path: string, kind: string, { weights }: NamedOptions): void {
  if (productsOf(weights) === 'float32') return;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `${path} is ${kind}, whose weights can be stored as float32 or float16 only. Leave out weights, or choose one of these.`,
    { option: 'weights', received: weights, required: ['float32', 'float16'] },
  );
}
