import type { Yielder } from '@foretoken/core/kit';
import { type FilePlace, invalidFolder, quote } from '@foretoken/models/internal';
import { toFloat32InPieces } from '../../../tensors/to-float32.js';
import type { StoredTensor, TensorStore } from '../../stored-tensor.js';
import type { ModelBin } from '../open-model-bin.js';
import { tensorNames } from './layer-names.js';

const OUTSIDE: Readonly<Record<string, string>> = {
  'embeddings/weight': 'embed_tokens.weight',
  'position_encodings/encodings': 'embed_positions.weight',
  'conv1/weight': 'conv1.weight',
  'conv1/bias': 'conv1.bias',
  'conv2/weight': 'conv2.weight',
  'conv2/bias': 'conv2.bias',
  'layer_norm/gamma': 'layer_norm.weight',
  'layer_norm/beta': 'layer_norm.bias',
};
const NO_BIAS = /k_proj\.bias$/;
/** Names that say how a model is computed, not what its weights are. */
const SETTINGS =
  /^(?:(?:encoder|decoder)\/(?:num_heads|activation|alibi|alibi_use_positive_positions|scale_alibi|alignment_heads|alignment_layer|pre_norm|scale_embeddings|start_from_zero_embedding)|decoder\/projection\/(?:weight|weight_scale)|.*_scale)$/;

/**
 * The variables of a Whisper model by the names of transformers. A variable that nothing here knows is refused, since it would change
 * what is computed. Throws `INVALID_MODEL_FOLDER`.
 */
export async function whisperTensors(place: FilePlace, file: ModelBin, pace: Yielder): Promise<TensorStore> {
  const tensors = new Map<string, ReturnType<ModelBin['rows']>>();
  for (const [name, variable] of file.variables) {
    if (SETTINGS.test(name)) continue;
    const names = tensorNames(name, OUTSIDE);
    const [rows = 0] = variable.shape;
    if (names === undefined || rows === 0 || rows % names.length !== 0) {
      const required = names === undefined ? 'a variable of Whisper' : `of a multiple of ${names.length} rows`;
      throw invalidFolder(
        `${place.file} in ${place.folder}: variable ${quote(name)} is [${variable.shape.join(', ')}], but it must be ${required}. Convert the model again.`,
        { ...place, field: name, received: variable.shape, required },
      );
    }
    const each = rows / names.length;
    for (const [index, own] of names.entries()) {
      const tensor = { ...file.rows(variable, index * each, each), ownName: name };
      if (NO_BIAS.test(own)) await refuseBias(place, name, tensor, pace);
      else tensors.set(own, tensor);
    }
  }
  return tensors;
}

/** Keys of Whisper have no bias, and CTranslate2 fills its place with zeros: another number there would not be computed with. */
async function refuseBias(place: FilePlace, name: string, tensor: StoredTensor, pace: Yielder): Promise<void> {
  const { dtype, shape } = tensor;
  const values = await toFloat32InPieces({ dtype, shape, data: await tensor.read(pace) }, pace);
  const wrong = values.find((value) => value !== 0);
  if (wrong === undefined) return;
  throw invalidFolder(
    `${place.file} in ${place.folder}: variable ${quote(name)} holds ${wrong} in the bias of keys, but Whisper has none there, and it must be 0. Convert the model again.`,
    { ...place, field: name, received: wrong, required: 0 },
  );
}
