import type { Yielder } from '@foretoken/core/kit';
import { type FilePlace, invalidFolder, quote } from '@foretoken/models/internal';
import { toFloat32InPieces } from '../../../tensors/to-float32.js';
import type { StoredTensor, TensorStore } from '../../stored-tensor.js';
import type { ModelBin } from '../open-model-bin.js';

/** Parts of a variable that transformers keeps as tensors of their own, one above the other. */
const LINEARS: readonly (readonly [variable: string, tensors: readonly string[]])[] = [
  ['self_attention/linear_0', ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj']],
  ['self_attention/linear_1', ['self_attn.out_proj']],
  ['attention/linear_0', ['encoder_attn.q_proj']],
  ['attention/linear_1', ['encoder_attn.k_proj', 'encoder_attn.v_proj']],
  ['attention/linear_2', ['encoder_attn.out_proj']],
  ['ffn/linear_0', ['fc1']],
  ['ffn/linear_1', ['fc2']],
];
const NORMS: Readonly<Record<string, string>> = {
  'self_attention/layer_norm': 'self_attn_layer_norm',
  'attention/layer_norm': 'encoder_attn_layer_norm',
  'ffn/layer_norm': 'final_layer_norm',
};
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
    const names = tensorNames(name);
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

/** What transformers calls the parts of a variable. */
function tensorNames(name: string): readonly string[] | undefined {
  const [side, ...path] = name.split('/');
  if (side !== 'encoder' && side !== 'decoder') return undefined;
  const layer = /^layer_(\d{1,3})$/.exec(path[0] ?? '')?.[1];
  if (layer === undefined) {
    const outside = OUTSIDE[path.join('/')];
    return outside === undefined ? undefined : [`model.${side}.${outside}`];
  }
  const [kind, part] = [path.slice(1, -1).join('/'), path.at(-1)];
  const prefix = `model.${side}.layers.${Number(layer)}`;
  const norm = NORMS[kind];
  if (norm !== undefined && (part === 'gamma' || part === 'beta')) {
    return [`${prefix}.${norm}.${part === 'gamma' ? 'weight' : 'bias'}`];
  }
  if (part !== 'weight' && part !== 'bias') return undefined;
  return LINEARS.find(([variable]) => variable === kind)?.[1].map((tensor) => `${prefix}.${tensor}.${part}`);
}
