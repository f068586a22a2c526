import { requireTokenizer } from '../tokenizer-json.js';
import type { SpecFiles, SpecModel } from './model-spec.js';
import { whisperConfig } from './whisper-config.js';
import { whisperTensors } from './whisper-tensors.js';

/** A Whisper model, which needs a tokenizer.json. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export async function readWhisper({ place, file, given, reader }: SpecFiles): Promise<SpecModel> {
  const tokenizer = await requireTokenizer(reader);
  const configs = await whisperConfig(place, file, given);
  return { ...configs, tokenizer, tensors: (pace) => whisperTensors(place, file, pace) };
}
