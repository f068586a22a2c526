import { argmax, brokenPrediction, type CanvasPrediction } from '@foretoken/core';

/** Two candidates a position: the second stands in where the first is the mask itself. */
export const BEST: { readonly kind: 'topK'; readonly k: 2 } = { kind: 'topK', k: 2 };

/** Natural-log probabilities of one position, `[vocab]`, a view. Throws `RUNTIME_FAILURE` for another shape. */
export function distributionAt(prediction: CanvasPrediction, position: number, vocabularySize: number): Float32Array {
  const { row, logProbs } = prediction;
  const end = (position + 1) * vocabularySize;
  if (logProbs === undefined || logProbs.length < end)
    throw brokenPrediction(row, `no probabilities at position ${position}`);
  return logProbs.subarray(end - vocabularySize, end);
}

/** Throws `RUNTIME_FAILURE` where one of the scores is not a number. */
export function assertNumbers(row: number, scores: Float32Array): void {
  if (scores.some(Number.isNaN)) throw brokenPrediction(row, 'a score that is not a number');
}

/** The most probable token of natural-log probabilities `[vocab]`. Throws `RUNTIME_FAILURE` where none is possible. */
export function bestOf(row: number, logProbs: Float32Array): number {
  const tokenId = argmax(logProbs);
  if (tokenId < 0) throw brokenPrediction(row, 'a position without any possible token');
  return tokenId;
}
