import { ForetokenError } from '@foretoken/core';
import { listOf } from '@foretoken/core/kit';
import type { LanguageModel } from './language-model.js';
import { languageModelOption, type WeightedLanguageModel } from './language-model-option.js';

/**
 * Several language models as one: the sum of their scores, each times its weight (default 1). One of weight 0 has no say.
 *
 * Throws `INVALID_ARGUMENT` for an empty list, for what is no language model, and for models of different vocabularies.
 */
export function weightedSum(models: readonly WeightedLanguageModel[]): LanguageModel<readonly unknown[]> {
  const parts = listOf(languageModelOption, 1)('models', models)
    .map(({ model, weight = 1 }) => ({ model, weight }))
    .filter(({ weight }) => weight > 0);
  const sizes = new Set(parts.flatMap(({ model: { vocabularySize } }) => vocabularySize ?? []));
  if (sizes.size > 1) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `The language models are of ${[...sizes].join(' and ')} tokens; models of one vocabulary are required.`,
      { option: 'models', received: [...sizes] },
    );
  }
  const sum = (states: readonly unknown[], scoreOf: (model: LanguageModel, state: unknown) => number): number =>
    parts.reduce((total, { model, weight }, index) => total + weight * scoreOf(model, states[index]), 0);
  return {
    vocabularySize: [...sizes][0],
    maxScore: parts.reduce<number | undefined>(
      (total, { model: { maxScore }, weight }) =>
        total === undefined || maxScore === undefined ? undefined : total + weight * maxScore,
      0,
    ),
    start: () => parts.map(({ model }) => model.start()),
    score: (states, tokenId) => sum(states, (model, state) => model.score(state, tokenId)),
    next: (states, tokenId) => parts.map(({ model }, index) => model.next(states[index], tokenId)),
    end: (states) => sum(states, (model, state) => model.end(state)),
  };
}
