import {
  callback,
  flag,
  immediate,
  type OptionReader,
  type OptionTable,
  oneOf,
  text,
  wrongValue,
} from '@foretoken/core/kit';
import { filePath, type ImportNote, isObject } from '@foretoken/models/internal';
import { TARGET_OPTIONS, type TargetOptions } from './target-options.js';
import { WEIGHT_PRECISIONS, type WeightPrecision } from './tensors/weight-precision.js';

/** Options of `importModel`. */
export interface ImportOptions extends TargetOptions {
  /**
   * How weights are stored (default float16, half the size). With `float32` and `float16` computing is float32, and weights that
   * float16 cannot hold stay float32. `int8` and `int4` keep the matrices of the autoregressive model in 8 or 4 bits, a scale for
   * every 32 numbers of a row, and its table of tokens in 8: smaller and faster, and near the model but not equal to it.
   * Speculation gives exactly what the stored model gives.
   */
  readonly weights?: WeightPrecision | undefined;
  /** Of weights on the hub that are GGUF files: which of them, such as `Q4_K_M`; needed where there are several. */
  readonly quantisation?: string | undefined;
  /**
   * How a step of an autoregressive model is divided into graphs. `heads`: a graph for each kind of output, one call a step; each
   * that is used holds all weights once more. `body`: one for the layers and one for the vocabulary, which all outputs share; two
   * calls more a step. Default: `body` for large models.
   */
  readonly stepLayout?: 'heads' | 'body' | undefined;
  /**
   * Whether outputs have only tokens that a shortlist beside the weights gives for their source, as Firefox decodes (default: where
   * there is one). Few architectures come with such lists.
   */
  readonly shortlist?: boolean | undefined;
  /** Path or `file:` URL of the weights of a CTC student trained on this model's encoder, with an n-gram model and a shortlist beside it or not. */
  readonly ctc?: string | undefined;
  /**
   * Weights folder of a shallower CTC student for the fast graph, with the upsampling and the head's tokens of `ctc`
   * (default: `ctc` itself).
   */
  readonly ctcFast?: string | undefined;
  /** Weights folders of a canvas, a DAG and an edit student of this model's encoder. */
  readonly canvas?: string | undefined;
  /** Weights folder of a DAG student of the same encoder. */
  readonly dag?: string | undefined;
  /** Weights folder of an edit student of the same encoder. */
  readonly edit?: string | undefined;
  /** Free facts about the training, kept in the manifest. */
  readonly training?: Readonly<Record<string, unknown>> | undefined;
  /**
   * Told what the weights folder says about decoding that the model does not do by itself, such as `num_beams`. The manifest
   * lists it too, as `training.notUsed`.
   */
  readonly onNote?: ((note: ImportNote) => void) | undefined;
}

/** The options that name a student's weights folder. */
export const STUDENTS = ['ctc', 'ctcFast', 'canvas', 'dag', 'edit'] as const;

const facts: OptionReader<Readonly<Record<string, unknown>>> = (name, value) => {
  if (isObject(value)) return value;
  throw wrongValue(name, value, 'an object of facts');
};

/** What `importModel` takes. */
export const IMPORT_OPTIONS: OptionTable<ImportOptions> = {
  ...TARGET_OPTIONS,
  weights: oneOf(...WEIGHT_PRECISIONS),
  quantisation: text,
  stepLayout: oneOf('heads', 'body'),
  shortlist: flag,
  ctc: filePath,
  ctcFast: filePath,
  canvas: filePath,
  dag: filePath,
  edit: filePath,
  training: facts,
  onNote: callback(immediate),
};
