import { type TokenizerNames, unsupportedModel } from '@foretoken/models/internal';
import type { WeightsFolder } from './hugging-face/weights-folder.js';

/** The tokenizer of a model that reads texts only. Throws `UNSUPPORTED_MODEL` where the folder has none. */
export function textFiles({ path, tokenizer: { names } }: WeightsFolder): TokenizerNames {
  if (names !== undefined) return names;
  throw unsupportedModel(`${path} has no tokenizer. Put tokenizer.json of the model into the folder.`, {
    folder: path,
    file: 'tokenizer.json',
    required: 'tokenizer.json',
  });
}
