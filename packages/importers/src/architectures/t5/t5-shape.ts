import type { Activation } from '../../blocks/activation.js';
import { configInteger, unsupportedConfig } from '../../readers/hugging-face/config-fields.js';
import { configFlag, configNumber, isOfRelease } from '../../readers/hugging-face/config-values.js';
import type { WeightsFolder } from '../../readers/hugging-face/weights-folder.js';
import { activationOf } from '../config-activation.js';

/** The values of `model_type` that are read here. */
export const T5_KINDS: readonly string[] = ['t5', 'mt5'];

/** The table that scores states, where it has one of its own. */
export const T5_HEAD = 'lm_head.weight';

/** A model of the T5 family: its sizes, and where its members differ. */
export interface T5Shape {
  readonly vocabularySize: number;
  readonly width: number;
  readonly heads: number;
  readonly headWidth: number;
  readonly feedForward: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly activation: Activation;
  /** Feed-forward blocks have a gate (version 1.1 on). */
  readonly gated: boolean;
  /** The table of tokens scores states, too. */
  readonly tied: boolean;
  /** States are made smaller before they are scored. */
  readonly scaled: boolean;
  readonly epsilon: number;
  readonly distances: { readonly buckets: number; readonly maxDistance: number };
}

/** Reads the config of a T5, mT5 or FLAN-T5 model. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export function readT5Shape(folder: WeightsFolder): T5Shape {
  const { config } = folder;
  const given = (field: string): boolean => config[field] !== undefined && config[field] !== null;
  const optional = (field: string, otherwise: number, min: number, max: number): number =>
    given(field) ? configInteger(folder, field, min, max) : otherwise;
  const { gated, activation } = readFeedForward(folder);
  const encoderLayers = configInteger(folder, 'num_layers', 1, 256);
  if (configFlag(folder, 'is_decoder', false)) unsupportedConfig(folder, 'is_decoder', 'false');
  const buckets = optional('relative_attention_num_buckets', 32, 4, 4096);
  return {
    vocabularySize: configInteger(folder, 'vocab_size', 3, 1_000_000),
    width: configInteger(folder, 'd_model', 2, 65_536),
    heads: configInteger(folder, 'num_heads', 1, 1024),
    headWidth: configInteger(folder, 'd_kv', 1, 4096),
    feedForward: configInteger(folder, 'd_ff', 1, 1_000_000),
    encoderLayers,
    decoderLayers: optional('num_decoder_layers', encoderLayers, 1, 256),
    activation,
    gated,
    ...readHead(folder),
    epsilon: configNumber(folder, 'layer_norm_epsilon', 1e-6, 0, 1),
    distances: { buckets, maxDistance: optional('relative_attention_max_distance', 128, buckets / 2 + 1, 65_536) },
  };
}

/**
 * Up to transformers 4 `tie_word_embeddings` says both. From 5 on it is always true: a head that is stored is one of its own, and
 * `scale_decoder_outputs` says the rest, of T5; mT5 is never scaled then.
 */
function readHead(folder: WeightsFolder): { readonly tied: boolean; readonly scaled: boolean } {
  const { config, tensors } = folder;
  const tied = configFlag(folder, 'tie_word_embeddings', true);
  if (!isOfRelease(config, 5)) return { tied, scaled: tied };
  const scaled = config.model_type === 't5' && configFlag(folder, 'scale_decoder_outputs', tied);
  return { tied: !tensors.has(T5_HEAD), scaled };
}

/** `feed_forward_proj` names the activation, with `gated-` before it where there is a gate. */
function readFeedForward(folder: WeightsFolder): { readonly gated: boolean; readonly activation: Activation } {
  const field = 'feed_forward_proj';
  const { [field]: named = 'relu' } = folder.config;
  if (typeof named !== 'string') return unsupportedConfig(folder, field, 'a text such as "relu" or "gated-gelu"');
  const gated = named.startsWith('gated-');
  const name = gated ? named.slice('gated-'.length) : named;
  // As the original has it, the gate's GELU is the approximation.
  return { gated, activation: activationOf(folder, field, named === 'gated-gelu' ? 'gelu_new' : name) };
}
