import { CONFIG, type FieldOrigin } from '@foretoken/models/internal';
import type { ModelBin } from '../open-model-bin.js';
import { readEpsilon } from '../text-options.js';
import { activationName } from './decoder-flags.js';
import { decoderHeads, sharedSettings } from './decoder-heads.js';
import { namedLayers, variableOf } from './decoder-names.js';
import type { DecoderModel, SpecFiles } from './model-spec.js';
import { readRotarySettings } from './rotary-settings.js';
import { LAYER, OUTSIDE, type RotaryShape, rotaryTensors } from './rotary-tensors.js';
import type { SpecVariables } from './spec-variables.js';
import { isTied, MAX_POSITIONS } from './transformer-config.js';

const WINDOW = 'sliding_window';

const own = (field: string): FieldOrigin => ({ field });
const SETTING = 'decoder/layer_0/self_attention';
const ORIGINS: Readonly<Record<string, FieldOrigin>> = {
  num_hidden_layers: own('decoder/layer_*'),
  num_attention_heads: own('decoder/num_heads'),
  num_key_value_heads: own(`${SETTING}/num_heads_kv`),
  head_dim: own(`${SETTING}/head_dim`),
  hidden_size: own('decoder/embeddings/weight'),
  vocab_size: own('decoder/embeddings/weight'),
  intermediate_size: own('decoder/layer_0/ffn/linear_0/weight'),
  rms_norm_eps: { file: CONFIG, field: 'layer_norm_epsilon' },
  hidden_act: own('decoder/activation'),
  sliding_window: own(`decoder/${WINDOW}`),
  rope_theta: own(`${SETTING}/rotary_base`),
  rope_scaling: own(`${SETTING}/rotary_scaling_type`),
  'rope_scaling.factor': own(`${SETTING}/rotary_scaling_factor`),
  'rope_scaling.low_freq_factor': own(`${SETTING}/rotary_low_freq_factor`),
  'rope_scaling.high_freq_factor': own(`${SETTING}/rotary_high_freq_factor`),
  'rope_scaling.original_max_position_embeddings': own(`${SETTING}/original_max_position_embeddings`),
};

interface Kind extends Pick<RotaryShape, 'biased'> {
  readonly kind: Readonly<Record<string, unknown>>;
}

/**
 * A decoder with rotary positions, norms of the root of the mean square and gated feed-forward blocks, as those of the Llama family.
 * Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`.
 */
export async function readRotaryDecoder(
  { place, file, given }: SpecFiles,
  variables: SpecVariables,
  width: number,
): Promise<DecoderModel> {
  const { find, scalar, unsupported } = variables;
  const layers = namedLayers(file, OUTSIDE, LAYER, variables);
  const shared = sharedSettings(variables, layers);
  const heads = await decoderHeads(variables, shared, width);
  const { rope, interleaved, notes } = await readRotarySettings(place, variables, shared, heads.headWidth);
  const window = await scalar(`decoder/${WINDOW}`, 0);
  const own = await shared(`self_attention/${WINDOW}`, 0);
  if (own !== window) unsupported(`decoder/layer_0/self_attention/${WINDOW}`, own, `that of the decoder, ${window}`);
  const { kind, biased } = kindOf(file, variables);
  const config = {
    ...kind,
    ...rope,
    num_hidden_layers: layers,
    num_attention_heads: heads.heads,
    num_key_value_heads: heads.keyValueHeads,
    head_dim: heads.headWidth,
    hidden_size: width,
    intermediate_size: find('decoder/layer_0/ffn/linear_0/weight', 2).shape[0],
    // The file says nothing of how long texts may be.
    max_position_embeddings: MAX_POSITIONS,
    rms_norm_eps: readEpsilon(place.folder, given, 1e-6),
    hidden_act: await activationName(variables),
    // Whoever names a window uses it.
    sliding_window: window === 0 ? null : window,
    use_sliding_window: window !== 0,
    tie_word_embeddings: isTied(file),
  };
  const tensors = rotaryTensors(place, file, variables, { ...heads, layers, interleaved, biased });
  return { config, origins: ORIGINS, notes, tensors, variableOf: (tensor) => variableOf(tensor, OUTSIDE, LAYER) };
}

/** The member of the family that has the biases and norms of a file, and which linear layers are to have biases. */
function kindOf({ variables }: ModelBin, { unsupported }: SpecVariables): Kind {
  const found = (part: RegExp): string | undefined => [...variables.keys()].find((name) => part.test(name));
  const bias = (part: string): string | undefined => found(new RegExp(`^decoder/layer_\\d+/${part}/bias$`));
  const [before, behind] = [bias('self_attention/linear_0'), bias('self_attention/linear_1')];
  const inner = bias('ffn/linear_\\w+');
  const biased = { attention: before !== undefined || behind !== undefined, feedForward: inner !== undefined };
  if (found(/\/[qk]_norm\/gamma$/) !== undefined) {
    if (inner !== undefined) unsupported(`variable ${inner}`, 'beside norms of queries and keys', 'a model without it');
    return { kind: { model_type: 'qwen3', attention_bias: biased.attention }, biased };
  }
  if (before !== undefined && behind === undefined && inner === undefined)
    return { kind: { model_type: 'qwen2' }, biased };
  const kind = { model_type: 'llama', attention_bias: biased.attention, mlp_bias: biased.feedForward };
  return { kind, biased };
}
