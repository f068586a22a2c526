import type { BackoffModel, BackoffState } from './backoff-model.js';
import type { LanguageModel } from './language-model.js';
import { NO_WORD, WordTrie } from './word-trie.js';

export interface WordScores {
  readonly textOf: (tokenId: number) => string;
  /** Added for every word. */
  readonly wordBonus: number;
  /** Added, once, for a word that is none, as soon as no word begins like it; `-Infinity` rules it out. */
  readonly unknownWordBonus: number;
}

/** Where a model of words stands; for itself alone. */
export interface WordState {
  /** The words before the one under way. */
  readonly history: BackoffState;
  /** The unfinished word among all words; what begins no word was already found to be unknown. */
  readonly node: number;
}

/** Scores words as soon as a space, or the end of the output, completes them; which they are is found in a tree of all words. */
export function wordTrieModel(
  model: BackoffModel,
  { textOf, wordBonus, unknownWordBonus }: WordScores,
): LanguageModel<WordState> {
  const trie = new WordTrie(model.words);
  const { root } = trie;
  const unknown = model.indexOf('<unk>');

  const complete = ({ history, node }: WordState): { score: number; history: BackoffState } => {
    if (node === root) return { score: 0, history };
    const known = node === NO_WORD ? -1 : trie.wordAt(node);
    const index = known < 0 ? unknown : known;
    const late = node !== NO_WORD && known < 0 ? unknownWordBonus : 0;
    return { score: model.logProb(history, index) + wordBonus + late, history: model.next(history, index) };
  };
  const grow = ({ history, node }: WordState, text: string): { score: number; state: WordState } => {
    const longer = node === NO_WORD ? NO_WORD : trie.after(node, text);
    const lost = longer === NO_WORD && node !== NO_WORD;
    return { score: lost ? unknownWordBonus : 0, state: { history, node: longer } };
  };
  const step = (before: WordState, tokenId: number): { score: number; state: WordState } => {
    const [first = '', ...others] = textOf(tokenId).split(' ');
    let { score, state } = grow(before, first);
    for (const text of others) {
      const completed = complete(state);
      const grown = grow({ history: completed.history, node: root }, text);
      score += completed.score + grown.score;
      state = grown.state;
    }
    return { score, state };
  };
  const bounded = model.maxScore === 0 && wordBonus <= 0 && unknownWordBonus <= 0;
  return {
    maxScore: bounded ? 0 : undefined,
    start: () => ({ history: model.start, node: root }),
    score: (state, tokenId) => step(state, tokenId).score,
    next: (state, tokenId) => step(state, tokenId).state,
    end: (state) => {
      const { score, history } = complete(state);
      return score + model.end(history);
    },
  };
}
