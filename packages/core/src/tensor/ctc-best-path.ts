import type { CtcLattice } from '../contract/lattice.js';

/** The most probable alignment of a CTC lattice, collapsed; arrays `[length]`, one entry for each output token. */
export interface CtcBestPath {
  readonly tokenIds: Int32Array;
  /** Frame of each token: the best-scoring one of its run of equal labels. */
  readonly frames: Int32Array;
  /** Natural-log probability of each token at that frame. */
  readonly logProbs: Float32Array;
  /** Natural-log probability of the alignment: the sum over all frames, blanks included. */
  readonly score: number;
}

/** The most probable label of a frame: the first candidate among equals, or the blank where only that is more probable. */
export interface CtcLabel {
  /** Its id; the blank's for the blank. */
  readonly tokenId: number;
  /** Natural log. */
  readonly logProb: number;
}

/** The most probable label of a frame, in whatever order its candidates are. */
export function ctcBestLabel({ k, blankId, tokenIds, logProbs, blankLogProbs }: CtcLattice, frame: number): CtcLabel {
  let best = frame * k;
  for (let cell = best + 1; cell < (frame + 1) * k; cell++) {
    if (logProbs[cell] > logProbs[best]) best = cell;
  }
  const blank = blankLogProbs[frame];
  const logProb = logProbs[best];
  return blank > logProb ? { tokenId: blankId, logProb: blank } : { tokenId: tokenIds[best], logProb };
}

/**
 * Takes the best label of every frame, merges runs of equal labels and drops blanks (best path decoding; Graves et al.,
 * 2006, "Connectionist Temporal Classification", section 3.2).
 */
export function ctcBestPath(lattice: CtcLattice): CtcBestPath {
  const { frames, blankId } = lattice;
  const tokenIds: number[] = [];
  const peaks: number[] = [];
  const logProbs: number[] = [];
  let score = 0;
  let previous = blankId;
  for (let frame = 0; frame < frames; frame++) {
    const { tokenId, logProb } = ctcBestLabel(lattice, frame);
    score += logProb;
    if (tokenId !== blankId) {
      const last = tokenIds.length - 1;
      if (tokenId !== previous) {
        tokenIds.push(tokenId);
        peaks.push(frame);
        logProbs.push(logProb);
      } else if (logProb > logProbs[last]) {
        peaks[last] = frame;
        logProbs[last] = logProb;
      }
    }
    previous = tokenId;
  }
  return {
    tokenIds: Int32Array.from(tokenIds),
    frames: Int32Array.from(peaks),
    logProbs: Float32Array.from(logProbs),
    score,
  };
}
