import type { LogProbsPrediction, TopKPrediction } from '@foretoken/core';
import {
  argmax,
  bestCanvasTokens,
  type CanvasProposal,
  canvasCandidates,
  logSoftmax,
  logSumExp,
  type RandomStream,
  sampleToken,
} from '@foretoken/core/kit';
import { distributionAt } from './proposals.js';

/**
 * Which undecided positions are decided first:
 *
 * - `confidence`: where the proposed token is most probable (Nie et al., 2025, "LLaDA", low-confidence remasking);
 * - `margin`: where it is furthest ahead of the second (Kim et al., 2025, "Train for the worst, plan for the best");
 * - `entropy`: where the model hesitates least;
 * - `entropy-bounded`: as `entropy`, as many a step as stay within a bound (Ben-Hamu et al., 2025);
 * - `left-to-right`; `random` (Sahoo et al., 2024, "MDLM").
 */
export type UnmaskOrder = 'confidence' | 'margin' | 'entropy' | 'entropy-bounded' | 'left-to-right' | 'random';

export const UNMASK_ORDERS: readonly UnmaskOrder[] = [
  'confidence',
  'margin',
  'entropy',
  'entropy-bounded',
  'left-to-right',
  'random',
];

/** Proposed tokens, and which positions to decide first: the higher `ease`, the earlier; `[length]`. */
export interface RankedProposal extends CanvasProposal {
  readonly ease: Float64Array;
}

/** How tokens are proposed and positions ranked. */
export interface Proposing {
  readonly order: UnmaskOrder;
  /** 0 takes the most probable token. */
  readonly temperature: number;
  readonly stream: RandomStream;
  readonly maskTokenId: number;
  readonly vocabularySize: number;
}

/** Substreams of a position: one draws its token, one its place in a random order. */
const TOKEN_DRAWS = 0;
const ORDER_DRAWS = 1;

/** What unmasking may ask of the model. */
export type UnmaskOutput = { readonly kind: 'logProbs' } | { readonly kind: 'topK'; readonly k: number };

/** The least output of the model that the order and the temperature need. */
export function outputFor(order: UnmaskOrder, temperature: number): UnmaskOutput {
  if (temperature > 0 || order === 'entropy' || order === 'entropy-bounded') return { kind: 'logProbs' };
  // One more than the two that are compared, since one of them may be the mask.
  return order === 'margin' ? { kind: 'topK', k: 3 } : { kind: 'topK', k: 2 };
}

/**
 * A token for each of `positions`, drawn with the numbers of the given forward, and how early to decide it; the mask, last of
 * all, where no token is possible. A whole vocabulary takes a while, so it yields after each position.
 *
 * Log-probabilities are the model's own, before the temperature. Throws `RUNTIME_FAILURE`, `INVALID_SCORES`.
 */
export function* propose(
  prediction: TopKPrediction | LogProbsPrediction,
  length: number,
  positions: readonly number[],
  forward: number,
  proposing: Proposing,
): Generator<undefined, RankedProposal> {
  const { order, stream } = proposing;
  const ranked =
    prediction.kind === 'topK'
      ? fromCandidates(prediction, length, positions, proposing)
      : yield* fromDistributions(prediction, length, positions, forward, proposing);
  for (const position of positions) {
    if (order === 'left-to-right') ranked.ease[position] = -position;
    if (order === 'random') ranked.ease[position] = stream.uniform(position, ORDER_DRAWS, forward);
    if (ranked.tokenIds[position] === proposing.maskTokenId) ranked.ease[position] = Number.NEGATIVE_INFINITY;
  }
  return ranked;
}

function fromCandidates(
  prediction: TopKPrediction,
  length: number,
  positions: readonly number[],
  { order, maskTokenId }: Proposing,
): RankedProposal {
  const best = bestCanvasTokens(prediction, length, maskTokenId);
  const ease = Float64Array.from(best.logProbs);
  if (order !== 'margin') return { ...best, ease };
  const { tokenIds: ids, logProbs: values, k } = canvasCandidates(prediction, length);
  for (const position of positions) {
    const others = [...values.subarray(position * k, (position + 1) * k)].filter(
      (_, rank) => ids[position * k + rank] !== maskTokenId,
    );
    ease[position] = Math.exp(others[0] ?? -Infinity) - Math.exp(others[1] ?? -Infinity);
  }
  return { ...best, ease };
}

function* fromDistributions(
  prediction: LogProbsPrediction,
  length: number,
  positions: readonly number[],
  forward: number,
  { order, temperature, stream, maskTokenId, vocabularySize }: Proposing,
): Generator<undefined, RankedProposal> {
  const tokenIds = new Int32Array(length);
  const logProbs = new Float32Array(length);
  const ease = new Float64Array(length);
  for (const position of positions) {
    yield;
    const distribution = distributionAt(prediction, position, vocabularySize);
    const scores = distribution.slice();
    scores[maskTokenId] = Number.NEGATIVE_INFINITY;
    const best = argmax(scores);
    if (best < 0) {
      tokenIds[position] = maskTokenId;
      logProbs[position] = Number.NEGATIVE_INFINITY;
      continue;
    }
    const max = scores[best];
    const tokenId =
      temperature === 0
        ? best
        : sampleToken(
            // Relative to the highest score, so that no temperature rules everything out.
            scores.map((score) => (score - max) / temperature),
            stream.uniform(position, TOKEN_DRAWS, forward),
          );
    tokenIds[position] = tokenId;
    logProbs[position] = distribution[tokenId];
    ease[position] = easeOf(order, scores, logProbs[position]);
  }
  return { tokenIds, logProbs, ease };
}

function easeOf(order: UnmaskOrder, scores: Float32Array, logProb: number): number {
  if (order === 'entropy' || order === 'entropy-bounded') return -entropyOf(scores);
  if (order !== 'margin') return logProb;
  let first = Number.NEGATIVE_INFINITY;
  let second = Number.NEGATIVE_INFINITY;
  for (const score of scores) {
    if (score > first) {
      second = first;
      first = score;
    } else if (score > second) second = score;
  }
  return Math.exp(first) - Math.exp(second);
}

/** Entropy, natural log, of unnormalised scores `[vocab]`. */
export function entropyOf(scores: Float32Array): number {
  if (logSumExp(scores) === Number.NEGATIVE_INFINITY) return 0;
  return logSoftmax(scores).reduce(
    (sum, logProb) => (logProb === -Infinity ? sum : sum - logProb * Math.exp(logProb)),
    0,
  );
}

/**
 * How many positions of ascending entropies may be decided together: the most whose entropies, without the largest, add up
 * to at most `bound`; at least one (Ben-Hamu et al., 2025, "Entropy bounded unmasking").
 */
export function boundedCount(entropies: readonly number[], bound: number): number {
  let sum = 0;
  let count = 0;
  // The largest of ascending entropies is the last, so the sum without it is the sum before it.
  for (const entropy of entropies) {
    if (count > 0 && sum > bound) break;
    sum += entropy;
    count++;
  }
  return count;
}
