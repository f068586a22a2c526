import { argmax, type CanvasPrediction, ForetokenError } from '@foretoken/core';
import type { Proposal } from './refined-canvas.js';

/** Two candidates a position: the second stands in where the first is the mask itself. */
export const BEST: { readonly kind: 'topK'; readonly k: 2 } = { kind: 'topK', k: 2 };

/** The model broke its contract: nothing that was computed from it can be trusted. */
export function broken(row: number, what: string): ForetokenError {
  return new ForetokenError('RUNTIME_FAILURE', `The model gave row ${row} ${what}.`, { row });
}

/**
 * The most probable token of each position that is not `forbidden`, from a top-k prediction of `length` positions.
 *
 * Throws `RUNTIME_FAILURE` where the prediction has another shape or holds a NaN.
 */
export function bestTokens(prediction: CanvasPrediction, length: number, forbidden: number): Proposal {
  const { ids, values, k } = candidates(prediction, length);
  const tokenIds = new Int32Array(length);
  const logProbs = new Float32Array(length);
  for (let position = 0; position < length; position++) {
    const first = position * k;
    const at = ids[first] === forbidden ? first + 1 : first;
    tokenIds[position] = ids[at] as number;
    logProbs[position] = values[at] as number;
  }
  return { tokenIds, logProbs };
}

/** Candidates of a top-k prediction, best first, `[length, k]`. Throws `RUNTIME_FAILURE` as `bestTokens` does. */
export function candidates(
  { row, tokenIds, logProbs }: CanvasPrediction,
  length: number,
): { readonly ids: Int32Array; readonly values: Float32Array; readonly k: number } {
  const k = (tokenIds?.length ?? 0) / length;
  if (tokenIds === undefined || logProbs === undefined || !Number.isInteger(k) || logProbs.length !== tokenIds.length) {
    throw broken(row, `candidates that do not fit a canvas of ${length} positions`);
  }
  if (k < 2) throw broken(row, 'fewer than two candidates a position');
  assertNumbers(row, logProbs);
  return { ids: tokenIds, values: logProbs, k };
}

/** Natural-log probabilities of one position, `[vocab]`, a view. Throws `RUNTIME_FAILURE` for another shape. */
export function distributionAt(prediction: CanvasPrediction, position: number, vocabularySize: number): Float32Array {
  const { row, logProbs } = prediction;
  const end = (position + 1) * vocabularySize;
  if (logProbs === undefined || logProbs.length < end) throw broken(row, `no probabilities at position ${position}`);
  return logProbs.subarray(end - vocabularySize, end);
}

/** Throws `RUNTIME_FAILURE` where one of the scores is not a number. */
export function assertNumbers(row: number, scores: Float32Array): void {
  if (scores.some(Number.isNaN)) throw broken(row, 'a score that is not a number');
}

/** The most probable token of natural-log probabilities `[vocab]`. Throws `RUNTIME_FAILURE` where none is possible. */
export function bestOf(row: number, logProbs: Float32Array): number {
  const tokenId = argmax(logProbs);
  if (tokenId < 0) throw broken(row, 'a position without any possible token');
  return tokenId;
}
