import { CONFIG, type FieldOrigin } from '@foretoken/models/internal';
import type { StoredTensor, TensorStore } from '../../stored-tensor.js';
import { readEpsilon } from '../text-options.js';
import { activationName } from './decoder-flags.js';
import { decoderHeads, sharedSettings } from './decoder-heads.js';
import { type LayerParts, namedLayers, namesOf, normParts, partsOf, variableOf } from './decoder-names.js';
import { transposed, zeros } from './made-tensors.js';
import type { DecoderModel, SpecFiles } from './model-spec.js';
import { type SpecVariables, setParts } from './spec-variables.js';
import { isTied, MAX_POSITIONS } from './transformer-config.js';

const POSITIONS = 'decoder/position_encodings/encodings';
const OUTSIDE: Readonly<Record<string, string>> = {
  'decoder/embeddings/weight': 'transformer.wte.weight',
  [POSITIONS]: 'transformer.wpe.weight',
  'decoder/layer_norm/gamma': 'transformer.ln_f.weight',
  'decoder/layer_norm/beta': 'transformer.ln_f.bias',
  'decoder/projection/weight': 'lm_head.weight',
};
const LINEARS = {
  'self_attention/linear_0': ['transformer.h.*.attn.c_attn'],
  'self_attention/linear_1': ['transformer.h.*.attn.c_proj'],
  'ffn/linear_0': ['transformer.h.*.mlp.c_fc'],
  'ffn/linear_1': ['transformer.h.*.mlp.c_proj'],
};
const NORMS = { 'self_attention/layer_norm': 'transformer.h.*.ln_1', 'ffn/layer_norm': 'transformer.h.*.ln_2' };
const LAYER: LayerParts = {
  tensors: { ...partsOf(LINEARS), ...normParts(NORMS) },
  settings: ['num_heads_kv', 'head_dim', 'queries_scale'].map((name) => `self_attention/${name}`),
};

const ORIGINS: Readonly<Record<string, FieldOrigin>> = {
  vocab_size: { field: 'decoder/embeddings/weight' },
  n_embd: { field: 'decoder/embeddings/weight' },
  n_layer: { field: 'decoder/layer_*' },
  n_head: { field: 'decoder/num_heads' },
  n_inner: { field: 'decoder/layer_0/ffn/linear_0/weight' },
  n_positions: { field: POSITIONS },
  layer_norm_epsilon: { file: CONFIG, field: 'layer_norm_epsilon' },
  activation_function: { field: 'decoder/activation' },
};

/** A decoder with layer norms and learned positions, as GPT-2 and OPT are. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export async function readLayerNormDecoder(
  { place, file, given }: SpecFiles,
  variables: SpecVariables,
  width: number,
): Promise<DecoderModel> {
  const { find, scalar, unsupported } = variables;
  const layers = namedLayers(file, OUTSIDE, LAYER, variables);
  if (!file.variables.has(POSITIONS)) unsupported(POSITIONS, undefined, 'a table of learned positions');
  const window = await scalar('decoder/sliding_window', 0);
  if (window !== 0) unsupported('decoder/sliding_window', window, '0');
  const { heads, keyValueHeads, headWidth } = await decoderHeads(variables, sharedSettings(variables, layers), width);
  for (const [name, value, wanted] of [
    ['num_heads_kv', keyValueHeads, heads],
    ['head_dim', headWidth, width / heads],
  ] as const) {
    if (value !== wanted) unsupported(`decoder/layer_0/self_attention/${name}`, value, String(wanted));
  }
  const positions = Math.min(find(POSITIONS, 2).shape[0], MAX_POSITIONS);
  const config = {
    model_type: 'gpt2',
    n_embd: width,
    n_layer: layers,
    n_head: heads,
    n_inner: find('decoder/layer_0/ffn/linear_0/weight', 2).shape[0],
    n_positions: positions,
    layer_norm_epsilon: readEpsilon(place.folder, given, 1e-5),
    activation_function: await activationName(variables),
    tie_word_embeddings: isTied(file),
  };
  const tensors = tensorsOf({ place, file }, variables, layers, positions);
  return { config, origins: ORIGINS, tensors, variableOf: (tensor) => variableOf(tensor, OUTSIDE, LAYER) };
}

/** Linear layers the other way round, as they are stored there; those without a bias get one of zeros. */
function tensorsOf(
  { place, file }: Pick<SpecFiles, 'place' | 'file'>,
  variables: SpecVariables,
  layers: number,
  positions: number,
): TensorStore {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, variable] of file.variables) {
    const names = namesOf(name, layers, OUTSIDE, LAYER, variables);
    if (name === POSITIONS) {
      tensors.set(names[0], { ...file.rows(variable, 0, positions), ownName: name });
      continue;
    }
    setParts(tensors, place, file, name, names);
    const [, part] = /^decoder\/layer_\d+\/(.+)\/weight$/.exec(name) ?? [];
    if (part === undefined || !Object.hasOwn(LINEARS, part)) continue;
    const [rows] = variables.find(name, 2).shape;
    for (const own of names) {
      const stored = tensors.get(own);
      if (stored !== undefined) tensors.set(own, transposed(stored));
      const bias = name.replace(/weight$/, 'bias');
      if (!file.variables.has(bias)) tensors.set(own.replace(/weight$/, 'bias'), zeros(place, [rows]));
    }
  }
  return tensors;
}
