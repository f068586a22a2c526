import type { AutoregressiveModel, Vocabulary } from '@foretoken/core';
import { assertVocabulary } from '@foretoken/core/kit';
import { assertScoring } from './score-with-model.js';

/**
 * Throws unless the model given as `option` can score outputs in token ids of this vocabulary, as trees where `branching`:
 * `UNSUPPORTED_CAPABILITY`, `INVALID_ARGUMENT`.
 */
export function assertRescorer<Source>(
  option: string,
  model: AutoregressiveModel<Source>,
  vocabulary: Vocabulary,
  branching: boolean,
): void {
  assertScoring(model, branching);
  assertVocabulary(option, model.vocabulary, vocabulary);
}
