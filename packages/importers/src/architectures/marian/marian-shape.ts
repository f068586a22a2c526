import { configInteger, unsupportedConfig } from '../../readers/hugging-face/config-fields.js';
import type { WeightsFolder } from '../../readers/hugging-face/weights-folder.js';

/** Sizes of a Marian model, read from its config.json. */
export interface MarianShape {
  readonly vocabularySize: number;
  readonly width: number;
  readonly heads: number;
  readonly encoderFeedForward: number;
  readonly decoderFeedForward: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly maxPositions: number;
  readonly scaleEmbedding: boolean;
}

/**
 * Whether a config is of the networks that students can read: one table for source, target and head, and layers as most OPUS models
 * have them. All others are imported as any encoder-decoder is.
 */
export function isPlain(config: WeightsFolder['config']): boolean {
  const is = (field: string, ...values: unknown[]): boolean => values.includes(config[field] ?? undefined);
  return (
    is('activation_function', 'swish', 'silu') &&
    is('share_encoder_decoder_embeddings', undefined, true) &&
    is('normalize_before', undefined, false) &&
    is('normalize_embedding', undefined, false) &&
    is('add_final_layer_norm', undefined, false) &&
    is('static_position_embeddings', undefined, true) &&
    is('tie_word_embeddings', undefined, true) &&
    is('add_bias_logits', undefined, false) &&
    is('is_decoder', undefined, false) &&
    is('decoder_vocab_size', undefined, config.vocab_size) &&
    is('encoder_attention_heads', config.decoder_attention_heads)
  );
}

/** Sizes of the Marian model of a weights folder. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export function readMarianShape(folder: WeightsFolder): MarianShape {
  const width = configInteger(folder, 'd_model', 2, 65_536);
  const heads = configInteger(folder, 'decoder_attention_heads', 1, 1024);
  if (width % heads !== 0 || width % 2 !== 0)
    unsupportedConfig(folder, 'd_model', `an even multiple of ${heads} heads`);
  return {
    vocabularySize: configInteger(folder, 'vocab_size', 3, 1_000_000),
    width,
    heads,
    encoderFeedForward: configInteger(folder, 'encoder_ffn_dim', 1, 1_000_000),
    decoderFeedForward: configInteger(folder, 'decoder_ffn_dim', 1, 1_000_000),
    encoderLayers: configInteger(folder, 'encoder_layers', 1, 256),
    decoderLayers: configInteger(folder, 'decoder_layers', 1, 256),
    maxPositions: configInteger(folder, 'max_position_embeddings', 1, 65_536),
    scaleEmbedding: folder.config.scale_embedding === true,
  };
}
