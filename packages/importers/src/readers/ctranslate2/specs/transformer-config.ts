import type { FieldOrigin, FilePlace } from '@foretoken/models/internal';
import type { ModelBin } from '../open-model-bin.js';
import { idIn, paddingOf, type TextOptions } from '../text-options.js';
import type { Vocabularies, Vocabulary } from '../vocabularies.js';
import type { SpecModel } from './model-spec.js';
import { originsOfSides, type SpecVariables, specVariables } from './spec-variables.js';
import { type Side, type TransformerShape, transformerNames } from './transformer-tensors.js';

/** Activations by their numbers, as transformers calls them. */
export const ACTIVATIONS: readonly string[] = ['relu', 'gelu_new', 'silu', 'gelu', 'quick_gelu'];
/** Flags that say of layers what none here do. */
const OFF = ['multi_query_attention', 'alibi'];
/** A model without a table of positions has no limit of its own. */
const POSITIONS = 1024;
/** Limit of a model folder. */
export const MAX_POSITIONS = 65_536;

const ORIGINS: Readonly<Record<string, FieldOrigin>> = {
  ...originsOfSides({ layers: 'layer_*', attention_heads: 'num_heads', ffn_dim: 'layer_0/ffn/linear_0/weight' }),
  vocab_size: { field: 'encoder/embeddings_0/weight' },
  decoder_vocab_size: { field: 'decoder/embeddings/weight' },
  d_model: { field: 'decoder/embeddings/weight' },
  max_position_embeddings: { field: 'decoder/position_encodings/encodings' },
  activation_function: { field: 'encoder/activation' },
};

/** What both sides have in common, or what is refused. */
interface SideFacts {
  readonly heads: number;
  readonly feedForward: number;
  readonly layers: number;
  readonly pre_norm: number;
  readonly activation: number;
  readonly scale_embeddings: boolean;
  readonly layernorm_embedding: boolean;
  readonly layer_norm: boolean;
  readonly positions: number | undefined;
}

/**
 * What config.json and generation_config.json of transformers would say of an encoder-decoder: sizes from the variables' shapes, tokens
 * from the folder's own config. Nothing but single numbers is read. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`.
 */
export async function transformerConfig(
  place: FilePlace,
  file: ModelBin,
  vocabularies: Vocabularies,
  options: TextOptions,
): Promise<Pick<SpecModel, 'config' | 'origins' | 'generationConfig'> & { readonly shape: TransformerShape }> {
  const variables = specVariables(place, file);
  const { scalar, unsupported } = variables;
  for (const name of file.variables.keys()) {
    if (transformerNames(name) === undefined) variables.refuseUnknown(name);
  }
  const { source, target } = vocabularies;
  const width = assertTables(variables, vocabularies);
  const [encoder, decoder] = [
    await factsOf(file, variables, 'encoder', width),
    await factsOf(file, variables, 'decoder', width),
  ];
  for (const field of ['pre_norm', 'activation', 'scale_embeddings', 'layernorm_embedding', 'layer_norm'] as const) {
    if (encoder[field] !== decoder[field])
      unsupported(`decoder/${field}`, decoder[field], `that of the encoder, ${encoder[field]}`);
  }
  const activation = ACTIVATIONS[encoder.activation];
  if (activation === undefined)
    unsupported('encoder/activation', encoder.activation, `a number from 0 to ${ACTIVATIONS.length - 1}`);
  const startsEmpty = (await scalar('decoder/start_from_zero_embedding', 0)) !== 0;
  const positions = Math.min(encoder.positions ?? POSITIONS, decoder.positions ?? POSITIONS, MAX_POSITIONS);
  const shared =
    source === target &&
    file.variables.get('encoder/embeddings_0/weight') === file.variables.get('decoder/embeddings/weight');
  const tied = isTied(file);
  const targets = target.tokens.length + (startsEmpty ? 1 : 0);
  const sources = source === target ? targets : source.tokens.length;
  const start = startOf(place, target, options, startsEmpty, variables);
  const config = {
    // The kind whose config says what each of its members has.
    model_type: 'bart',
    normalize_before: encoder.pre_norm !== 0,
    normalize_embedding: encoder.layernorm_embedding,
    add_final_layer_norm: encoder.layer_norm,
    static_position_embeddings: false,
    extra_pos_embeddings: 0,
    multilingual: true,
    vocab_size: sources,
    decoder_vocab_size: targets,
    share_encoder_decoder_embeddings: shared,
    tie_word_embeddings: tied,
    d_model: width,
    encoder_layers: encoder.layers,
    decoder_layers: decoder.layers,
    encoder_attention_heads: encoder.heads,
    decoder_attention_heads: decoder.heads,
    encoder_ffn_dim: encoder.feedForward,
    decoder_ffn_dim: decoder.feedForward,
    max_position_embeddings: positions,
    activation_function: activation,
    scale_embedding: encoder.scale_embeddings,
  };
  const generationConfig = {
    eos_token_id: idIn(place.folder, target, 'eos_token', options.end),
    decoder_start_token_id: start,
    pad_token_id: paddingOf(target) ?? (startsEmpty ? start : undefined),
    // What stands for no token is none that can be said.
    bad_words_ids: startsEmpty ? [[start]] : undefined,
  };
  return { config, origins: ORIGINS, generationConfig, shape: { width, positions, sources, targets, shared, tied } };
}

/** The token that outputs begin with; one behind all others where the decoder begins with an embedding of zeros. */
function startOf(
  { folder }: FilePlace,
  target: Vocabulary,
  { start }: TextOptions,
  startsEmpty: boolean,
  { unsupported }: SpecVariables,
): number {
  if (startsEmpty) return target.tokens.length;
  if (start !== null) return idIn(folder, target, 'decoder_start_token', start);
  return unsupported(
    'decoder_start_token of config.json',
    null,
    'the token that outputs are to begin with, such as that of their language,',
  );
}

/** The width of all tables, which have a row for each token. Throws `INVALID_MODEL_FOLDER`. */
export function assertTables(variables: SpecVariables, { source, target }: Vocabularies): number {
  const width = tableWidth(variables, 'encoder/embeddings_0/weight', source);
  for (const name of ['decoder/embeddings/weight', 'decoder/projection/weight']) {
    const own = tableWidth(variables, name, target);
    if (own !== width) variables.refuse(name, own, `of ${width} columns`);
  }
  return width;
}

/** Columns of a table that has a row for each token. Throws `INVALID_MODEL_FOLDER`. */
export function tableWidth({ find, refuse }: SpecVariables, name: string, { file, tokens }: Vocabulary): number {
  const { shape } = find(name, 2);
  if (shape[0] !== tokens.length) refuse(name, shape, `of ${tokens.length} rows, as many as ${file} has tokens`);
  return shape[1];
}

async function factsOf(file: ModelBin, variables: SpecVariables, side: Side, width: number): Promise<SideFacts> {
  const { find, scalar, layersOf, refuse, unsupported } = variables;
  for (const name of OFF) {
    const value = await scalar(`${side}/${name}`, 0);
    if (value !== 0) unsupported(`${side}/${name}`, value, '0');
  }
  const layers = layersOf(side);
  if (layers === 0) find(`${side}/layer_0/ffn/linear_0/weight`, 2);
  const has = (norm: string): boolean => {
    if (!file.variables.has(`${side}/${norm}/gamma`)) return false;
    find(`${side}/${norm}/beta`, 1);
    return true;
  };
  const positions = file.variables.has(`${side}/position_encodings/encodings`)
    ? find(`${side}/position_encodings/encodings`, 2).shape[0]
    : undefined;
  if (positions === 0) refuse(`${side}/position_encodings/encodings`, [0, width], 'of one row at least');
  if (positions === undefined && (width < 4 || width % 2 !== 0)) {
    refuse(`${side} width`, width, 'an even number from 4 on, since positions are sinusoids');
  }
  return {
    heads: await scalar(`${side}/num_heads`),
    feedForward: find(`${side}/layer_0/ffn/linear_0/weight`, 2).shape[0],
    layers,
    pre_norm: await scalar(`${side}/pre_norm`, 1),
    activation: await scalar(`${side}/activation`, 0),
    scale_embeddings: await isScaled(file, variables, `${side}/scale_embeddings`, width),
    layernorm_embedding: has('layernorm_embedding'),
    layer_norm: has('layer_norm'),
    positions,
  };
}

/** A flag, or the factor itself, which has one value but 1 here. */
export async function isScaled(
  file: ModelBin,
  { scalar, unsupported }: SpecVariables,
  name: string,
  width: number,
): Promise<boolean> {
  const value = await scalar(name, 1);
  if (!file.variables.has(name) || file.variables.get(name)?.type === 'int8') return value !== 0;
  const root = Math.sqrt(width);
  if (value === 1) return false;
  if (Math.abs(value - root) <= 1e-6 * root) return true;
  return unsupported(name, value, `1 or the root of the width, ${root},`);
}

/** Whether the table that embeds outputs scores them too. */
export function isTied({ variables }: ModelBin): boolean {
  return variables.get('decoder/projection/weight') === variables.get('decoder/embeddings/weight');
}
