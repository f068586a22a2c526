import {
  type ConfigFolder,
  configHeads,
  configInteger,
  unsupportedConfig,
} from '../../readers/hugging-face/config-fields.js';
import { configFlag } from '../../readers/hugging-face/config-values.js';

/** One side of the model. */
export interface WhisperStack {
  readonly layers: number;
  readonly heads: number;
  readonly feedForward: number;
}

/** Sizes of a Whisper model. */
export interface WhisperShape {
  readonly vocabularySize: number;
  readonly width: number;
  readonly encoder: WhisperStack;
  readonly decoder: WhisperStack;
  /** Bands of the sound's spectrum. */
  readonly mels: number;
  /** Positions of the encoder, of two frames each. */
  readonly sourcePositions: number;
  readonly targetPositions: number;
}

/** Reads the sizes. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export function readWhisperShape(folder: ConfigFolder): WhisperShape {
  const { config } = folder;
  if ((config.activation_function ?? 'gelu') !== 'gelu') {
    unsupportedConfig(folder, 'activation_function', '"gelu"');
  }
  if (configFlag(folder, 'scale_embedding', false)) unsupportedConfig(folder, 'scale_embedding', 'false');
  if (!configFlag(folder, 'tie_word_embeddings', true)) unsupportedConfig(folder, 'tie_word_embeddings', 'true');
  const width = configInteger(folder, 'd_model', 2, 65_536);
  const stack = (side: 'encoder' | 'decoder'): WhisperStack => ({
    layers: configInteger(folder, `${side}_layers`, 1, 256),
    heads: configHeads(folder, width, `${side}_attention_heads`),
    feedForward: configInteger(folder, `${side}_ffn_dim`, 1, 1_000_000),
  });
  return {
    vocabularySize: configInteger(folder, 'vocab_size', 3, 1_000_000),
    width,
    encoder: stack('encoder'),
    decoder: stack('decoder'),
    mels: configInteger(folder, 'num_mel_bins', 1, 1024),
    sourcePositions: configInteger(folder, 'max_source_positions', 1, 32_768),
    targetPositions: configInteger(folder, 'max_target_positions', 8, 65_536),
  };
}
