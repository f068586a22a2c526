import { callback, text, withMethods } from '@foretoken/core/kit';
import type { BackoffModel, BackoffState } from './backoff-model.js';
import type { LanguageModel } from './language-model.js';

/**
 * A back-off model whose words are tokens: `wordOf` names each, such as a tokenizer's piece.
 *
 * A token whose name the model does not know counts as `<unk>`, and is ruled out where the model has no such word. Throws
 * `INVALID_ARGUMENT`.
 */
export function tokenLanguageModel(
  model: BackoffModel,
  wordOf: (tokenId: number) => string,
): LanguageModel<BackoffState> {
  withMethods<BackoffModel>('a BackoffModel', 'indexOf', 'logProb', 'next', 'end')('model', model);
  const name = callback<typeof wordOf>(text)('wordOf', wordOf);
  const indices = new Map<number, number>();
  const indexOf = (tokenId: number): number => {
    let index = indices.get(tokenId);
    if (index === undefined) {
      index = model.indexOf(name(tokenId));
      indices.set(tokenId, index);
    }
    return index;
  };
  return {
    maxScore: model.maxScore,
    start: () => model.start,
    score: (state, tokenId) => model.logProb(state, indexOf(tokenId)),
    next: (state, tokenId) => model.next(state, indexOf(tokenId)),
    end: (state) => model.end(state),
  };
}
