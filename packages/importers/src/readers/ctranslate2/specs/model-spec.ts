import type { Yielder } from '@foretoken/core/kit';
import type { FieldOrigin, FilePlace, FileReader, ImportNote, TokenizerFiles } from '@foretoken/models/internal';
import type { TensorStore } from '../../stored-tensor.js';
import type { ModelBin } from '../open-model-bin.js';

/** What a model is read of: its file, what configs beside it say, and what reads the files beside it. */
export interface SpecFiles {
  readonly place: FilePlace;
  readonly file: ModelBin;
  /** Content of the folder's own config.json. */
  readonly given: Readonly<Record<string, unknown>>;
  /** Content of generation_config.json, where there is one. */
  readonly told?: Readonly<Record<string, unknown>> | undefined;
  readonly reader: FileReader;
}

/** A model in the words of transformers. */
export interface SpecModel {
  /** What config.json of transformers would say of it. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The variables, or the fields of other files, that say what its fields are. */
  readonly origins: Readonly<Record<string, FieldOrigin>>;
  /** And its generation_config.json, as far as the folder's own config.json says it. */
  readonly generationConfig: Readonly<Record<string, unknown>>;
  readonly tokenizer: TokenizerFiles;
  readonly notes?: readonly ImportNote[] | undefined;
  /** What the file calls the variable that holds a tensor of transformers, where it is known. */
  readonly variableOf?: ((tensor: string) => string | undefined) | undefined;
  /** Its variables by the names of transformers. Throws `INVALID_MODEL_FOLDER`. */
  readonly tensors: (pace: Yielder) => Promise<TensorStore>;
}

/** What the variables of a decoder say of it, in the words of transformers. */
export interface DecoderModel extends Pick<SpecModel, 'config' | 'origins' | 'notes' | 'variableOf'> {
  readonly tensors: TensorStore;
}

/** A kind of model that the format knows by a name of its own. */
export interface ModelSpec {
  /** Revisions of it that are known. */
  readonly revisions: readonly number[];
  /** Reads all but the weights. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
  readonly read: (files: SpecFiles) => Promise<SpecModel>;
}
