import { logSoftmax, logSumExp } from './log-softmax.js';
import { argmax, topK } from './top-k.js';

/**
 * Truncations of a distribution over next tokens, in place on unnormalised scores `[vocab]`: what is cut becomes
 * `-Infinity`, and the best token always stays. Sampling from what is left is sampling from the renormalised rest.
 */
export type Truncation = (scores: Float32Array) => void;

const CUT = Number.NEGATIVE_INFINITY;

/** Keeps the k best tokens, of equals at the border those with the lower ids (Fan et al., 2018, section 5.4). */
export function truncateTopK(scores: Float32Array, k: number): void {
  keepOnly(scores, topK(scores, k));
}

/** Keeps the smallest set of best tokens whose probabilities add up to `mass` or more (Holtzman et al., 2020, section 3.1). */
export function truncateTopP(scores: Float32Array, mass: number): void {
  keepMass(scores, scores, mass);
}

/** Cuts tokens less probable than `ratio` times the most probable one (Nguyen et al., 2024, section 3). */
export function truncateMinP(scores: Float32Array, ratio: number): void {
  const best = argmax(scores);
  if (best < 0) return;
  const min = scores[best] + Math.log(ratio);
  cutBelow(scores, min, best);
}

/**
 * Keeps the tokens whose surprise is closest to the distribution's entropy, until their probabilities add up to `mass`
 * (Meister et al., 2023, section 4).
 */
export function truncateTypical(scores: Float32Array, mass: number): void {
  const logProbs = logSoftmax(scores);
  const entropy = entropyOf(logProbs);
  // What is ruled out already ranks below everything.
  const ranks = logProbs.map((logProb) => (logProb === CUT ? CUT : -Math.abs(-logProb - entropy)));
  keepMass(scores, ranks, mass);
}

/** Cuts tokens with a probability below `epsilon` (Hewitt et al., 2022, section 4.2). */
export function truncateEpsilon(scores: Float32Array, epsilon: number): void {
  cutBelow(scores, Math.log(epsilon) + logSumExp(scores), argmax(scores));
}

/** Cuts tokens with a probability below `min(epsilon, sqrt(epsilon) * exp(-entropy))` (Hewitt et al., 2022, section 4.3). */
export function truncateEta(scores: Float32Array, epsilon: number): void {
  const entropy = entropyOf(logSoftmax(scores));
  const min = Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropy));
  cutBelow(scores, Math.log(min) + logSumExp(scores), argmax(scores));
}

/** Cuts tokens that surprise by more than `most` bits; Mirostat's truncation (Basu et al., 2021, algorithm 2). */
export function truncateSurprise(scores: Float32Array, max: number): void {
  cutBelow(scores, -max * Math.LN2 + logSumExp(scores), argmax(scores));
}

/** Natural-log entropy of a distribution given as log-probabilities. */
function entropyOf(logProbs: Float64Array): number {
  return logProbs.reduce((sum, logProb) => (logProb === CUT ? sum : sum - logProb * Math.exp(logProb)), 0);
}

function cutBelow(scores: Float32Array, min: number, best: number): void {
  for (let tokenId = 0; tokenId < scores.length; tokenId++) {
    if (tokenId !== best && scores[tokenId] < min) scores[tokenId] = CUT;
  }
}

/**
 * Keeps the tokens of highest rank until their probabilities reach `mass`, at least one; `ranks` `[vocab]`, the lower id
 * first among equals. Sorts no more tokens than it needs: a few hold most of the mass.
 */
function keepMass(scores: Float32Array, ranks: ArrayLike<number>, mass: number): void {
  // Rounding may let the sum reach 1 before the last token.
  if (mass >= 1) return;
  const normaliser = logSumExp(scores);
  for (let count = FEW; ; count *= 8) {
    const order = topK(ranks, count);
    let sum = 0;
    let kept = 0;
    while (kept < order.length && (sum < mass || kept === 0)) {
      sum += Math.exp(scores[order[kept]] - normaliser);
      kept++;
    }
    if (sum < mass && order.length === count) continue;
    keepOnly(scores, order.subarray(0, kept));
    return;
  }
}

function keepOnly(scores: Float32Array, tokenIds: Int32Array): void {
  const kept = Float32Array.from(tokenIds, (tokenId) => scores[tokenId]);
  scores.fill(CUT);
  for (const [rank, tokenId] of tokenIds.entries()) scores[tokenId] = kept[rank];
}

/** Tokens to rank at first. */
const FEW = 64;
