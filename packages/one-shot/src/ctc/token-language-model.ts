import type { BackoffModel, BackoffState } from '@foretoken/core';
import type { LanguageModel } from './language-model.js';

/**
 * A back-off model whose words are the lattice's tokens: `wordOf` names each, such as a tokenizer's piece.
 *
 * A token whose name the model does not know counts as `<unk>`, and is ruled out where the model has no such word.
 */
export function tokenLanguageModel(
  model: BackoffModel,
  wordOf: (tokenId: number) => string,
): LanguageModel<BackoffState> {
  const indices = new Map<number, number>();
  const indexOf = (tokenId: number): number => {
    let index = indices.get(tokenId);
    if (index === undefined) {
      index = model.indexOf(wordOf(tokenId));
      indices.set(tokenId, index);
    }
    return index;
  };
  return {
    start: () => model.start,
    score: (state, tokenId) => model.logProb(state, indexOf(tokenId)),
    next: (state, tokenId) => model.next(state, indexOf(tokenId)),
    end: (state) => model.end(state),
  };
}
