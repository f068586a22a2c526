import type { FilePlace } from '@foretoken/models/internal';
import { halvesApart } from '../../halves-apart.js';
import type { StoredTensor, TensorStore } from '../../stored-tensor.js';
import type { ModelBin } from '../open-model-bin.js';
import type { DecoderHeads } from './decoder-heads.js';
import { type LayerParts, namesOf, normParts, partsOf } from './decoder-names.js';
import { zeros } from './made-tensors.js';
import { ROTARY_SETTINGS } from './rotary-settings.js';
import { type SpecVariables, setParts } from './spec-variables.js';

/** Variables that are in no layer, by their names in transformers. */
export const OUTSIDE: Readonly<Record<string, string>> = {
  'decoder/embeddings/weight': 'model.embed_tokens.weight',
  'decoder/layer_norm/gamma': 'model.norm.weight',
  'decoder/projection/weight': 'lm_head.weight',
};

const ATTENTION = {
  'self_attention/linear_0': ['q_proj', 'k_proj', 'v_proj'].map((name) => `model.layers.*.self_attn.${name}`),
  'self_attention/linear_1': ['model.layers.*.self_attn.o_proj'],
};
const FEED_FORWARD = {
  'ffn/linear_0': ['model.layers.*.mlp.gate_proj'],
  'ffn/linear_0_noact': ['model.layers.*.mlp.up_proj'],
  'ffn/linear_1': ['model.layers.*.mlp.down_proj'],
};
const NORMS = {
  'self_attention/layer_norm': 'model.layers.*.input_layernorm',
  'self_attention/q_norm': 'model.layers.*.self_attn.q_norm',
  'self_attention/k_norm': 'model.layers.*.self_attn.k_norm',
  'ffn/layer_norm': 'model.layers.*.post_attention_layernorm',
};

/** What each layer has. */
export const LAYER: LayerParts = {
  tensors: { ...partsOf(ATTENTION), ...partsOf(FEED_FORWARD), ...normParts(NORMS, false) },
  settings: [
    ...ROTARY_SETTINGS,
    ...['num_heads_kv', 'head_dim', 'queries_scale', 'sliding_window'].map((name) => `self_attention/${name}`),
  ],
};

/** What tensors are made by beside the file. */
export interface RotaryShape extends DecoderHeads {
  readonly layers: number;
  /** Whether real and imaginary parts of queries and keys are neighbours. */
  readonly interleaved: boolean;
  /** Which linear layers are to have biases, of zeros where the file has none. */
  readonly biased: { readonly attention: boolean; readonly feedForward: boolean };
}

/** The variables of a decoder by the names of transformers. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export function rotaryTensors(
  place: FilePlace,
  file: ModelBin,
  variables: SpecVariables,
  { heads, keyValueHeads, headWidth, layers, interleaved, biased }: RotaryShape,
): TensorStore {
  const tensors = new Map<string, StoredTensor>();
  const sizes = [heads, keyValueHeads, keyValueHeads].map((count) => count * headWidth);
  for (const name of file.variables.keys()) {
    const names = namesOf(name, layers, OUTSIDE, LAYER, variables);
    const rows = names.length === sizes.length ? sizes : undefined;
    setParts(tensors, place, file, name, names, rows);
    const [, group] = /^decoder\/layer_\d+\/(self_attention|ffn)\/\w+\/weight$/.exec(name) ?? [];
    const wanted = group === 'ffn' ? biased.feedForward : biased.attention;
    if (group === undefined || !wanted || file.variables.has(name.replace(/weight$/, 'bias'))) continue;
    const [whole] = variables.find(name, 2).shape;
    for (const [index, own] of names.entries()) {
      tensors.set(own.replace(/weight$/, 'bias'), zeros(place, [rows?.[index] ?? whole]));
    }
  }
  if (interleaved) {
    for (const [name, tensor] of tensors) {
      const [, part] = /\.self_attn\.([qk])_(?:proj|norm)\./.exec(name) ?? [];
      if (part === undefined) continue;
      const count = name.includes('_norm') ? 1 : part === 'q' ? heads : keyValueHeads;
      tensors.set(name, halvesApart(tensor, count));
    }
  }
  return tensors;
}
