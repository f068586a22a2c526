import type { FieldOrigin, FilePlace } from '@foretoken/models/internal';
import type { StoredTensor, TensorStore } from '../../stored-tensor.js';
import type { Variable } from '../model-header.js';
import type { ModelBin } from '../open-model-bin.js';
import { idIn, paddingOf, type TextOptions } from '../text-options.js';
import type { Vocabularies } from '../vocabularies.js';
import type { SpecModel } from './model-spec.js';
import { type SpecVariables, setParts, specVariables } from './spec-variables.js';
import { ACTIVATIONS, assertTables, isScaled } from './transformer-config.js';
import { SIDES, type Side } from './transformer-tensors.js';

/** What says that a model knows positions by the distance of tokens alone. */
const DISTANCES = 'self_attention/relative_attention_bias';
const MAX_DISTANCE = 'self_attention/relative_attention_max_distance';

const ORIGINS: Readonly<Record<string, FieldOrigin>> = Object.fromEntries(
  Object.entries({
    vocab_size: 'decoder/embeddings/weight',
    d_model: 'decoder/embeddings/weight',
    num_heads: 'encoder/num_heads',
    d_kv: 'encoder/layer_0/self_attention/linear_1/weight',
    d_ff: 'encoder/layer_0/ffn/linear_0/weight',
    num_layers: 'encoder/layer_*',
    num_decoder_layers: 'decoder/layer_*',
    feed_forward_proj: 'encoder/activation',
    relative_attention_num_buckets: `encoder/layer_0/${DISTANCES}`,
    relative_attention_max_distance: `encoder/layer_0/${MAX_DISTANCE}`,
  }).map(([name, field]) => [name, { field }]),
);

/** Parts of a variable, one above the other, by the place of their block in a layer. */
const LINEARS: Readonly<Record<string, (side: Side) => readonly string[]>> = {
  'self_attention/linear_0': () => ['q', 'k', 'v'].map((name) => `layer.0.SelfAttention.${name}`),
  'self_attention/linear_1': () => ['layer.0.SelfAttention.o'],
  'attention/linear_0': () => ['layer.1.EncDecAttention.q'],
  'attention/linear_1': () => ['layer.1.EncDecAttention.k', 'layer.1.EncDecAttention.v'],
  'attention/linear_2': () => ['layer.1.EncDecAttention.o'],
};
const NORMS: Readonly<Record<string, (side: Side) => string>> = {
  'self_attention/layer_norm': () => 'layer.0.layer_norm',
  'attention/layer_norm': () => 'layer.1.layer_norm',
  'ffn/layer_norm': (side) => `${last(side)}.layer_norm`,
};
const GATE = 'ffn/linear_0_noact';
/** Names that say how a model is computed, or what is computed besides, and tables, which are put together in a way of their own. */
const SETTINGS =
  /^(?:(?:encoder|decoder)\/(?:num_heads|activation|alibi|alibi_use_positive_positions|scale_alibi|alignment_heads|alignment_layer|pre_norm|scale_embeddings|scale_outputs|start_from_zero_embedding|embeddings_merge|multi_query_attention)|encoder\/embeddings_0\/weight|decoder\/(?:embeddings|projection)\/weight|.*\/weight_scale|(?:en|de)coder\/layer_\d{1,3}\/(?:(?:self_)?attention\/queries_scale|self_attention\/relative_attention_(?:bias|max_distance)))$/;

const last = (side: Side): string => (side === 'encoder' ? 'layer.1' : 'layer.2');

/** Whether a model knows positions by distances. */
export const knowsDistances = ({ variables }: ModelBin): boolean => variables.has(`encoder/layer_0/${DISTANCES}`);

/** An encoder-decoder that knows positions by distances (Raffel et al., 2020). Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export async function readDistances(
  place: FilePlace,
  file: ModelBin,
  vocabularies: Vocabularies,
  options: TextOptions,
): Promise<Omit<SpecModel, 'tokenizer' | 'notes'>> {
  const variables = specVariables(place, file);
  const { find, scalar, layersOf, refuse, refuseUnknown, unsupported } = variables;
  const gated = file.variables.has(`encoder/layer_0/${GATE}/weight`);
  for (const name of file.variables.keys()) {
    if (tensorsOf(name, gated) === undefined) refuseUnknown(name);
  }
  const width = assertTables(variables, vocabularies);
  const { target } = vocabularies;
  const tableOf = (name: string): Variable => find(name, 2);
  const table = tableOf('decoder/embeddings/weight');
  if (tableOf('encoder/embeddings_0/weight') !== table)
    unsupported('encoder/embeddings_0/weight', 'a table of its own', 'that of the decoder');
  const tied = file.variables.has('decoder/scale_outputs');
  const scale = await scalar('decoder/scale_outputs', 1);
  if (tied && Math.abs(scale * Math.sqrt(width) - 1) > 1e-6)
    unsupported('decoder/scale_outputs', scale, `1 divided by the root of the width, ${width ** -0.5},`);
  if (tied && tableOf('decoder/projection/weight') !== table)
    unsupported('decoder/projection/weight', 'a matrix of its own', 'the table of tokens');
  for (const side of SIDES) await assertSide(file, variables, side, width);
  const [activation, heads, distance, { shape: buckets }] = [
    await scalar('encoder/activation', 0),
    await scalar('encoder/num_heads'),
    await scalar(`encoder/layer_0/${MAX_DISTANCE}`),
    find(`encoder/layer_0/${DISTANCES}`, 2),
  ];
  for (const [name, value] of [
    ['activation', activation],
    ['num_heads', heads],
    [`layer_0/${MAX_DISTANCE}`, distance],
  ] as const) {
    const other = await scalar(`decoder/${name}`, 0);
    if (other !== value) unsupported(`decoder/${name}`, other, `that of the encoder, ${value}`);
  }
  const kept = find('encoder/layer_0/self_attention/linear_1/weight', 2).shape[1];
  if (!(heads >= 1) || kept % heads !== 0) refuse('encoder/num_heads', heads, `a divisor of ${kept}`);
  const name =
    ACTIVATIONS[activation] ??
    unsupported('encoder/activation', activation, `a number from 0 to ${ACTIVATIONS.length - 1}`);
  const config = {
    model_type: 't5',
    vocab_size: target.tokens.length,
    d_model: width,
    num_heads: heads,
    d_kv: kept / heads,
    d_ff: find('encoder/layer_0/ffn/linear_0/weight', 2).shape[0],
    num_layers: layersOf('encoder'),
    num_decoder_layers: layersOf('decoder'),
    // With a gate "gelu" is another one.
    feed_forward_proj: `${gated ? 'gated-' : ''}${name === 'gelu' ? 'gelu_python' : name}`,
    tie_word_embeddings: tied,
    relative_attention_num_buckets: buckets[0],
    relative_attention_max_distance: distance,
  };
  const { start } = options;
  const generationConfig = {
    eos_token_id: idIn(place.folder, target, 'eos_token', options.end),
    decoder_start_token_id: idIn(place.folder, target, 'decoder_start_token', start ?? '<pad>'),
    pad_token_id: paddingOf(target),
  };
  return { config, origins: ORIGINS, generationConfig, tensors: async () => distanceTensors(place, file, gated, tied) };
}

/** What all layers have in one way here. */
async function assertSide(file: ModelBin, variables: SpecVariables, side: Side, width: number): Promise<void> {
  const { scalar, unsupported, find } = variables;
  for (const [name, wanted] of [
    ['pre_norm', 1],
    ['alibi', 0],
    ['multi_query_attention', 0],
    ['start_from_zero_embedding', 0],
  ] as const) {
    const value = await scalar(`${side}/${name}`, wanted);
    if (value !== wanted) unsupported(`${side}/${name}`, value, String(wanted));
  }
  if (await isScaled(file, variables, `${side}/scale_embeddings`, width))
    unsupported(`${side}/scale_embeddings`, true, 'false');
  const first = find(`${side}/layer_0/${DISTANCES}`, 2);
  const distance = await scalar(`${side}/layer_0/${MAX_DISTANCE}`);
  for (let layer = 0; file.variables.has(`${side}/layer_${layer}/ffn/linear_0/weight`); layer++) {
    const prefix = `${side}/layer_${layer}`;
    if (file.variables.get(`${prefix}/${DISTANCES}`) !== first)
      unsupported(`${prefix}/${DISTANCES}`, 'a table of its own', 'that of the first layer');
    const own = await scalar(`${prefix}/${MAX_DISTANCE}`);
    if (own !== distance) unsupported(`${prefix}/${MAX_DISTANCE}`, own, `that of the first layer, ${distance}`);
    for (const attention of side === 'encoder' ? ['self_attention'] : ['self_attention', 'attention']) {
      const name = `${prefix}/${attention}/queries_scale`;
      const value = await scalar(name);
      if (value !== 1) unsupported(name, value, '1');
    }
  }
}

/** What transformers calls the parts of a variable; none where it has no tensor of its own, undefined where it is not known. */
function tensorsOf(name: string, gated: boolean): readonly string[] | undefined {
  if (SETTINGS.test(name)) return [];
  const [first, ...path] = name.split('/');
  const side = SIDES.find((one) => one === first);
  if (side === undefined) return undefined;
  if (path.join('/') === 'layer_norm/gamma') return [`${side}.final_layer_norm.weight`];
  const number = /^layer_(\d{1,3})$/.exec(path[0])?.[1];
  const [kind, part] = [path.slice(1, -1).join('/'), path.at(-1)];
  if (number === undefined) return undefined;
  const prefix = `${side}.block.${Number(number)}`;
  const named = (names: readonly string[]): readonly string[] => names.map((own) => `${prefix}.${own}.weight`);
  if (part === 'gamma') return Object.hasOwn(NORMS, kind) ? named([NORMS[kind](side)]) : undefined;
  if (part !== 'weight') return undefined;
  if (Object.hasOwn(LINEARS, kind)) return named(LINEARS[kind](side));
  const inner = (own: string): readonly string[] => named([`${last(side)}.DenseReluDense.${own}`]);
  if (kind === 'ffn/linear_0') return inner(gated ? 'wi_0' : 'wi');
  if (kind === GATE) return gated ? inner('wi_1') : undefined;
  return kind === 'ffn/linear_1' ? inner('wo') : undefined;
}

function distanceTensors(place: FilePlace, file: ModelBin, gated: boolean, tied: boolean): TensorStore {
  const tensors = new Map<string, StoredTensor>();
  for (const name of file.variables.keys()) setParts(tensors, place, file, name, tensorsOf(name, gated) ?? []);
  setParts(tensors, place, file, 'decoder/embeddings/weight', ['shared.weight']);
  if (!tied) setParts(tensors, place, file, 'decoder/projection/weight', ['lm_head.weight']);
  for (const side of SIDES) {
    const own = `${side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`;
    setParts(tensors, place, file, `${side}/layer_0/${DISTANCES}`, [own]);
  }
  return tensors;
}
