import type { CtcLattice } from '@foretoken/core';
import { argmax, assertScores, logSumExp, topK } from '@foretoken/core/kit';
import type { CtcManifest } from './ctc-manifest.js';

/** Where a source's frames lie in a graph's scores. */
export interface ScoredFrames {
  /** Reads scores from one place to another. */
  readonly scores: (begin: number, end: number) => Float32Array;
  readonly classes: number;
  readonly frames: number;
  /** Place of the scores of a frame. */
  readonly at: (frame: number) => number;
  /** Row of the source among those that were given. */
  readonly row: number;
}

type Values = CtcManifest['frames']['values'];

/** The best `k` classes of each frame, and the blank; yields after each frame. Throws `INVALID_SCORES`. */
export function* latticeOf(
  { scores, classes, frames, at, row }: ScoredFrames,
  values: Values,
  blankId: number,
  k: number,
): Generator<undefined, CtcLattice, undefined> {
  const tokenIds = new Int32Array(frames * k).fill(blankId);
  const logProbs = new Float32Array(frames * k).fill(Number.NEGATIVE_INFINITY);
  const blankLogProbs = new Float32Array(frames);
  for (let frame = 0; frame < frames; frame++) {
    const of = scores(at(frame), at(frame) + classes);
    assertScores(of, row, frame);
    const logProb = scaleOf(of, values);
    const best = k === 1 ? [argmax(of)] : topK(of, k);
    for (let place = 0; place < best.length; place++) {
      if (best[place] < 0) continue;
      tokenIds[frame * k + place] = best[place];
      logProbs[frame * k + place] = logProb(of[best[place]]);
    }
    blankLogProbs[frame] = logProb(of[blankId]);
    yield;
  }
  return { kind: 'ctc', frames, k, blankId, tokenIds, logProbs, blankLogProbs };
}

/** What makes a log-probability of a score. */
function scaleOf(scores: Float32Array, values: Values): (score: number) => number {
  if (values === 'logProbs') return (score) => score;
  // Below 0 only by rounding.
  if (values === 'probabilities') return (score) => Math.log(Math.max(0, score));
  const normaliser = logSumExp(scores);
  return (score) => score - normaliser;
}
