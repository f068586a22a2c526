import type { LogProbsPrediction } from '@foretoken/core';
import { assertScores, brokenPrediction } from '@foretoken/core/kit';

/** Two candidates a position: the second stands in where the first is the mask itself. */
export const BEST: Best = { kind: 'topK', k: 2 };

export interface Best {
  readonly kind: 'topK';
  readonly k: 2;
}

/** Natural-log probabilities of one position, `[vocab]`, a view. Throws `RUNTIME_FAILURE` for another shape, `INVALID_SCORES`. */
export function distributionAt(prediction: LogProbsPrediction, position: number, vocabularySize: number): Float32Array {
  const { row, logProbs } = prediction;
  const end = (position + 1) * vocabularySize;
  if (!(logProbs?.length >= end)) throw brokenPrediction(row, `no probabilities at position ${position}`);
  assertScores(logProbs, row, position, end - vocabularySize, end);
  return logProbs.subarray(end - vocabularySize, end);
}
