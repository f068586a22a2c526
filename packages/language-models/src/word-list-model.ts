import { callback, listOf, type OptionReader, text } from '@foretoken/core/kit';
import { BackoffModel } from './backoff-model.js';
import type { LanguageModel } from './language-model.js';
import { type WordState, wordTrieModel } from './word-trie-model.js';

const readWords: OptionReader<readonly string[]> = listOf(text, 1);

/**
 * A list of words as a language model: outputs are made of these words alone, and all of them are as good as each other. A
 * token after which no word of the list could come about is ruled out at once.
 *
 * Throws `INVALID_ARGUMENT`.
 */
export function wordListModel(words: readonly string[], textOf: (tokenId: number) => string): LanguageModel<WordState> {
  const distinct = [...new Set(readWords('words', words))];
  const model = new BackoffModel(
    distinct,
    distinct.map((_, word) => ({ words: [word], logProb: 0 })),
  );
  const read = callback<typeof textOf>(text)('textOf', textOf);
  return wordTrieModel(model, { textOf: read, wordBonus: 0, unknownWordBonus: Number.NEGATIVE_INFINITY });
}
