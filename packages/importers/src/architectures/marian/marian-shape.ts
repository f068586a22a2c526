import { quote, unsupportedModel } from '@foretoken/models/folder';
import { configInteger } from '../../readers/hugging-face/config-fields.js';
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

/** Sizes of the Marian model of a weights folder. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export function readMarianShape(folder: WeightsFolder): MarianShape {
  const { config, path } = folder;
  const unsupported = (field: string, required: string): never => {
    throw unsupportedModel(
      `${path}: config.json has ${field} = ${quote(config[field])}; the Marian importer requires ${required}.`,
      { folder: path, file: 'config.json', field, received: config[field], required },
    );
  };
  if (config.model_type !== 'marian') unsupported('model_type', '"marian"');
  if (config.activation_function !== 'swish' && config.activation_function !== 'silu')
    unsupported('activation_function', '"swish"');
  if (config.share_encoder_decoder_embeddings === false) unsupported('share_encoder_decoder_embeddings', 'true');
  if (config.normalize_before === true) unsupported('normalize_before', 'false');
  if (config.normalize_embedding === true) unsupported('normalize_embedding', 'false');
  if (config.add_final_layer_norm === true) unsupported('add_final_layer_norm', 'false');
  if (config.static_position_embeddings === false) unsupported('static_position_embeddings', 'true');
  if (config.tie_word_embeddings === false) unsupported('tie_word_embeddings', 'true');
  if (![undefined, null, config.vocab_size].includes(config.decoder_vocab_size as null)) {
    unsupported('decoder_vocab_size', `the same as vocab_size, ${quote(config.vocab_size)}`);
  }
  const width = configInteger(folder, 'd_model', 2, 65_536);
  const heads = configInteger(folder, 'decoder_attention_heads', 1, 1024);
  if (configInteger(folder, 'encoder_attention_heads', 1, 1024) !== heads) {
    unsupported('encoder_attention_heads', `the same as decoder_attention_heads, ${heads}`);
  }
  if (width % heads !== 0 || width % 2 !== 0) unsupported('d_model', `an even multiple of ${heads} heads`);
  return {
    vocabularySize: configInteger(folder, 'vocab_size', 3, 1_000_000),
    width,
    heads,
    encoderFeedForward: configInteger(folder, 'encoder_ffn_dim', 1, 1_000_000),
    decoderFeedForward: configInteger(folder, 'decoder_ffn_dim', 1, 1_000_000),
    encoderLayers: configInteger(folder, 'encoder_layers', 1, 256),
    decoderLayers: configInteger(folder, 'decoder_layers', 1, 256),
    maxPositions: configInteger(folder, 'max_position_embeddings', 1, 65_536),
    scaleEmbedding: config.scale_embedding === true,
  };
}
