import { logSoftmax, topK } from '@foretoken/core/kit';

/** A classifier of output lengths: class c means c - offset tokens more than the source has, its end token included. */
export interface LengthHead {
  readonly classes: number;
  readonly offset: number;
}

/**
 * The `k` most probable lengths of one row, fewer where there are fewer, from unnormalised scores `[classes]`: lengths
 * below 1 and above `maxLength` are ruled out first.
 */
export function rankLengths(
  logits: Float32Array,
  sourceLength: number,
  offset: number,
  maxLength: number,
  k: number,
): { readonly lengths: Int32Array; readonly logProbs: Float32Array } {
  const shift = sourceLength - offset;
  const possible = logits.map((logit, index) =>
    index + shift >= 1 && index + shift <= maxLength ? logit : Number.NEGATIVE_INFINITY,
  );
  const logProbs = logSoftmax(possible);
  const best = topK(logProbs, k);
  return {
    lengths: best.map((index) => index + shift),
    logProbs: Float32Array.from(best, (index) => logProbs[index]),
  };
}
