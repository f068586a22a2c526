import { join } from 'node:path';
import { readTokenizerFiles, unsupportedModel } from '@foretoken/models/internal';
import type { SpecFiles, SpecModel } from './model-spec.js';
import { whisperConfig } from './whisper-config.js';
import { whisperTensors } from './whisper-tensors.js';

/** A Whisper model, which needs a tokenizer.json. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export async function readWhisper({ place, file, given, reader }: SpecFiles): Promise<SpecModel> {
  const { folder } = place;
  if (!(await reader.has('tokenizer.json'))) {
    throw unsupportedModel(
      `${folder} has no tokenizer.json, and a vocabulary alone does not say how text is put together. Copy tokenizer.json of the original model to ${join(folder, 'tokenizer.json')}.`,
      { folder, file: 'tokenizer.json', required: 'tokenizer.json' },
    );
  }
  const tokenizer = await readTokenizerFiles(reader);
  const configs = await whisperConfig(place, file, given);
  return { ...configs, tokenizer, tensors: (pace) => whisperTensors(place, file, pace) };
}
