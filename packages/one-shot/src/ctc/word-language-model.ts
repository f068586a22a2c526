import {
  type BackoffModel,
  type BackoffState,
  callback,
  checkOptions,
  number,
  type OptionTable,
  text,
  withMethods,
} from '@foretoken/core';
import type { LanguageModel } from './language-model.js';

export interface WordLanguageModelOptions {
  /** Text of a token, a space where a word ends or begins: `" "`, or `" the"` of a piece that begins a word. */
  readonly textOf: (tokenId: number) => string;
  /** Added for every word, whatever it is, against the model's liking for few words (default 0). */
  readonly wordBonus?: number;
  /** Added, once, for a word that the model does not know, as soon as none that it knows begins like it (default 0). */
  readonly unknownWordBonus?: number;
}

const OPTIONS: OptionTable<WordLanguageModelOptions> = {
  textOf: callback<WordLanguageModelOptions['textOf']>(text),
  wordBonus: number(-1e6, 1e6),
  unknownWordBonus: number(-1e6, 1e6),
};

interface WordState {
  readonly history: BackoffState;
  /** The unfinished word. */
  readonly word: string;
  /** Whether the unfinished word was already found to be unknown. */
  readonly unknown: boolean;
}

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
  const begins = prefixTest(model.words);

  const complete = ({ history, word, unknown }: WordState): { score: number; history: BackoffState } => {
    if (word === '') return { score: 0, history };
    const index = model.indexOf(word);
    const late = !unknown && !model.has(word) ? unknownWordBonus : 0;
    return { score: model.logProb(history, index) + wordBonus + late, history: model.next(history, index) };
  };
  const grow = ({ history, word, unknown }: WordState, text: string): { score: number; state: WordState } => {
    const longer = word + text;
    if (unknown || longer === '' || begins(longer)) return { score: 0, state: { history, word: longer, unknown } };
    return { score: unknownWordBonus, state: { history, word: longer, unknown: true } };
  };
  const step = (before: WordState, tokenId: number): { score: number; state: WordState } => {
    const [first = '', ...others] = textOf(tokenId).split(' ');
    let { score, state } = grow(before, first);
    for (const text of others) {
      const completed = complete(state);
      const grown = grow({ history: completed.history, word: '', unknown: false }, text);
      score += completed.score + grown.score;
      state = grown.state;
    }
    return { score, state };
  };
  return {
    start: () => ({ history: model.start, word: '', unknown: false }),
    score: (state, tokenId) => step(state, tokenId).score,
    next: (state, tokenId) => step(state, tokenId).state,
    end: (state) => {
      const { score, history } = complete(state);
      return score + model.end(history);
    },
  };
}

/** Whether some word begins with a text, by binary search. */
function prefixTest(words: readonly string[]): (text: string) => boolean {
  const sorted = [...words].sort();
  return (text) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle] as string) < text) low = middle + 1;
      else high = middle;
    }
    return sorted[low]?.startsWith(text) ?? false;
  };
}
