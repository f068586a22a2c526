import type { ModelFolder } from '../folder/read-folder.js';
import { createPieceTokenizer } from './piece-tokenizer.js';
import { createTokenizer, type TextTokenizer } from './text-tokenizer.js';

/** The tokenizer of a model folder, where it has one. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export async function openTokenizer(folder: ModelFolder): Promise<TextTokenizer | undefined> {
  const { tokenizer, vocabulary, limits } = folder.manifest;
  const { sourceLength } = limits;
  if (tokenizer === undefined) return undefined;
  if (typeof tokenizer === 'string') {
    return createTokenizer(await folder.readText(tokenizer), { vocabulary, sourceLength, file: tokenizer });
  }
  const { source, target } = tokenizer;
  const files = {
    source: { file: source, content: await folder.readBytes(source) },
    target: { file: target, content: await folder.readBytes(target) },
    vocabulary: { file: tokenizer.vocabulary, content: await folder.readText(tokenizer.vocabulary) },
  };
  return createPieceTokenizer(files, { vocabulary, sourceLength });
}
