import type { ModelFolder } from '../folder/model-folder.js';
import { loadCode } from '../load-code.js';
import type { TextTokenizer } from './text-tokenizer.js';

/** The tokenizer of a model folder, where it has one. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, `RUNTIME_FAILURE`. */
export async function openTokenizer(folder: ModelFolder): Promise<TextTokenizer | undefined> {
  const { tokenizer, vocabulary, sourceVocabulary, limits } = folder.manifest;
  const { sourceLength } = limits;
  if (tokenizer === undefined) return undefined;
  if (typeof tokenizer === 'string') {
    const { createTokenizer } = await loadCode('tokenizer.json files', () => import('./text-tokenizer.js'));
    return createTokenizer(await folder.readText(tokenizer), { vocabulary, sourceLength, file: tokenizer });
  }
  if ('symbols' in tokenizer) {
    const file = tokenizer.symbols;
    const { createSymbolTokenizer } = await loadCode('lists of symbols', () => import('./symbol-tokenizer.js'));
    return createSymbolTokenizer(await folder.readText(file), { vocabulary, sourceLength, file });
  }
  const { createPieceTokenizer } = await loadCode('SentencePiece models', () => import('./piece-tokenizer.js'));
  const { source, target, targetVocabulary } = tokenizer;
  const files = {
    source: { file: source, content: await folder.readBytes(source) },
    target: { file: target, content: await folder.readBytes(target) },
    vocabulary: { file: tokenizer.vocabulary, content: await folder.readText(tokenizer.vocabulary) },
    targetVocabulary:
      targetVocabulary === undefined
        ? undefined
        : { file: targetVocabulary, content: await folder.readText(targetVocabulary) },
  };
  return createPieceTokenizer(files, { vocabulary, sourceVocabulary, sourceLength });
}
