import { callback, checkOptions, number, type OptionTable, text, withMethods } from '@foretoken/core/kit';
import type { BackoffModel } from './backoff-model.js';
import type { LanguageModel } from './language-model.js';
import { type WordState, wordTrieModel } from './word-trie-model.js';

/** Options of `wordLanguageModel`. Bonuses are in natural-log units. */
export interface WordLanguageModelOptions {
  /** Text of a token, a space where a word ends or begins: `" "`, or `" the"` of a piece that begins a word. */
  readonly textOf: (tokenId: number) => string;
  /** Added for every word, whatever it is, against the model's liking for few words (default 0). */
  readonly wordBonus?: number | undefined;
  /** Added, once, for a word that the model does not know, as soon as none that it knows begins like it (default 0). */
  readonly unknownWordBonus?: number | undefined;
}

const OPTIONS: OptionTable<WordLanguageModelOptions> = {
  textOf: callback<WordLanguageModelOptions['textOf']>(text),
  wordBonus: number(-1e6, 1e6),
  unknownWordBonus: number(-1e6, 1e6),
};

/**
 * A back-off model of words over a lattice of characters or word pieces: a word is scored when a space, or the end of the
 * output, completes it (Hannun et al., 2014, "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional
 * Recurrent DNNs", section 3).
 *
 * Bonuses are natural logarithms and count, like the model, by the weight of the fusion. A word the model does not know is
 * `<unk>`, and is ruled out where the model has no such word. Throws `INVALID_ARGUMENT`.
 */
export function wordLanguageModel(model: BackoffModel, options: WordLanguageModelOptions): LanguageModel<WordState> {
  withMethods<BackoffModel>('a BackoffModel', 'indexOf', 'has', 'logProb', 'next', 'end')('model', model);
  const {
    textOf,
    wordBonus = 0,
    unknownWordBonus = 0,
  } = checkOptions('wordLanguageModel', options, OPTIONS, ['textOf']);
  return wordTrieModel(model, { textOf, wordBonus, unknownWordBonus });
}
