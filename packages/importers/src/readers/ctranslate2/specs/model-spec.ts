import type { Yielder } from '@foretoken/core/kit';
import type { FilePlace } from '@foretoken/models/internal';
import type { TensorStore } from '../../stored-tensor.js';
import type { ModelBin } from '../open-model-bin.js';

/** What config.json and generation_config.json of transformers would say of a model. */
export interface SpecConfigs {
  readonly config: Readonly<Record<string, unknown>>;
  readonly generationConfig: Readonly<Record<string, unknown>>;
}

/** A kind of model that the format knows by a name of its own. */
export interface ModelSpec {
  /** Revisions of it that are known. */
  readonly revisions: readonly number[];
  /** `given` is the folder's own config. Throws `INVALID_MODEL_FOLDER`. */
  readonly configsOf: (
    place: FilePlace,
    file: ModelBin,
    given: Readonly<Record<string, unknown>>,
  ) => Promise<SpecConfigs>;
  /** Its variables by the names of transformers. Throws `INVALID_MODEL_FOLDER`. */
  readonly tensorsOf: (place: FilePlace, file: ModelBin, pace: Yielder) => Promise<TensorStore>;
}
