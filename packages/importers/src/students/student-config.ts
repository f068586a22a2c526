import { type ConfigFolder, configInteger, refuseConfig } from '../readers/hugging-face/config-fields.js';
import type { EncoderShape } from './encoder-shape.js';

/** Throws `INVALID_MODEL_FOLDER` unless a student of this kind reads this encoder's states and vocabulary. */
export function checkStudent(folder: ConfigFolder, modelType: string, what: string, encoder: EncoderShape): void {
  for (const [field, received, required] of [
    ['model_type', folder.config.model_type, modelType],
    ['d_model', configInteger(folder, 'd_model', 2, 65_536), encoder.width],
    ['vocab_size', configInteger(folder, 'vocab_size', 3, 1_000_000), encoder.vocabularySize],
  ] as const) {
    if (received !== required) refuseConfig(folder, field, `${what} of this model`, required);
  }
}
