import { type AutoregressiveModel, ForetokenError, type Vocabulary } from '@foretoken/core';
import { assertScoring } from './score-with-model.js';

/**
 * Throws unless the model given as `option` can score outputs in token ids of this vocabulary, as trees where `branching`:
 * `UNSUPPORTED_CAPABILITY`, `INVALID_ARGUMENT`.
 */
export function assertRescorer<Source>(
  option: string,
  model: AutoregressiveModel<Source>,
  { size, endTokenId }: Vocabulary,
  branching: boolean,
): void {
  assertScoring(model, branching);
  const received = model.vocabulary;
  if (received.size === size && received.endTokenId === endTokenId) return;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `${option} has ${received.size} tokens and the end token ${received.endTokenId}, but ${size} and ${endTokenId} are required.`,
    { option, received: received.size, required: size },
  );
}
