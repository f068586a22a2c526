import { logSoftmax, logSumExp } from './log-softmax.js';
import { argmax, topK } from './top-k.js';

/**
 * Truncations of a distribution over next tokens, in place on unnormalised scores `[vocab]`: what is cut becomes
 * `-Infinity`, and the best token always stays. Sampling from what is left is sampling from the renormalised rest.
 */
export type Truncation = (scores: Float32Array) => void;

const CUT = Number.NEGATIVE_INFINITY;

/** Cuts every token below the k-th best; what equals the k-th stays (Fan et al., 2018, section 5.4). */
export function truncateTopK(scores: Float32Array, k: number): void {
  const best = topK(scores, k);
  const least = scores[best.at(-1) ?? 0] as number;
  for (let tokenId = 0; tokenId < scores.length; tokenId++) {
    if ((scores[tokenId] as number) < least) scores[tokenId] = CUT;
  }
}

/** Keeps the smallest set of best tokens whose probabilities add up to `mass` or more (Holtzman et al., 2020, section 3.1). */
export function truncateTopP(scores: Float32Array, mass: number): void {
  keepMass(
    scores,
    ranked(scores, (tokenId) => scores[tokenId] as number),
    mass,
  );
}

/** Cuts tokens less probable than `ratio` times the most probable one (Nguyen et al., 2024, section 3). */
export function truncateMinP(scores: Float32Array, ratio: number): void {
  const best = argmax(scores);
  if (best < 0) return;
  const least = (scores[best] as number) + Math.log(ratio);
  cutBelow(scores, least, best);
}

/**
 * Keeps the tokens whose surprise is closest to the distribution's entropy, until their probabilities add up to `mass`
 * (Meister et al., 2023, section 4).
 */
export function truncateTypical(scores: Float32Array, mass: number): void {
  const logProbs = logSoftmax(scores);
  const entropy = entropyOf(logProbs);
  keepMass(
    scores,
    ranked(scores, (tokenId) => -Math.abs(-(logProbs[tokenId] as number) - entropy)),
    mass,
  );
}

/** Cuts tokens with a probability below `epsilon` (Hewitt et al., 2022, section 4.2). */
export function truncateEpsilon(scores: Float32Array, epsilon: number): void {
  cutBelow(scores, Math.log(epsilon) + logSumExp(scores), argmax(scores));
}

/** Cuts tokens with a probability below `min(epsilon, sqrt(epsilon) * exp(-entropy))` (Hewitt et al., 2022, section 4.3). */
export function truncateEta(scores: Float32Array, epsilon: number): void {
  const entropy = entropyOf(logSoftmax(scores));
  const least = Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropy));
  cutBelow(scores, Math.log(least) + logSumExp(scores), argmax(scores));
}

/** Cuts tokens that surprise by more than `most` bits; Mirostat's truncation (Basu et al., 2021, algorithm 2). */
export function truncateSurprise(scores: Float32Array, most: number): void {
  cutBelow(scores, -most * Math.LN2 + logSumExp(scores), argmax(scores));
}

/** Natural-log entropy of a distribution given as log-probabilities. */
function entropyOf(logProbs: Float64Array): number {
  return logProbs.reduce((sum, logProb) => (logProb === CUT ? sum : sum - logProb * Math.exp(logProb)), 0);
}

function cutBelow(scores: Float32Array, least: number, best: number): void {
  for (let tokenId = 0; tokenId < scores.length; tokenId++) {
    if (tokenId !== best && (scores[tokenId] as number) < least) scores[tokenId] = CUT;
  }
}

/** Token ids that are not cut, best rank first, the lower id first among equals. */
function ranked(scores: Float32Array, rank: (tokenId: number) => number): number[] {
  const tokenIds: number[] = [];
  const ranks = new Float64Array(scores.length);
  for (let tokenId = 0; tokenId < scores.length; tokenId++) {
    if (scores[tokenId] === CUT) continue;
    tokenIds.push(tokenId);
    ranks[tokenId] = rank(tokenId);
  }
  return tokenIds.sort((a, b) => (ranks[b] as number) - (ranks[a] as number) || a - b);
}

/** Keeps tokens in this order until their probabilities reach `mass`; at least one. */
function keepMass(scores: Float32Array, order: readonly number[], mass: number): void {
  // Rounding may let the sum reach 1 before the last token.
  if (mass >= 1) return;
  const normaliser = logSumExp(scores);
  let sum = 0;
  for (const [index, tokenId] of order.entries()) {
    if (sum >= mass && index > 0) scores[tokenId] = CUT;
    else sum += Math.exp((scores[tokenId] as number) - normaliser);
  }
}
