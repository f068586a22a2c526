import type { CtcLattice } from '@foretoken/core';

/** The labels of one frame that a search looks at; overwritten by each `read`. */
export class FrameLabels {
  /** Natural-log probability of the blank; `-Infinity` where it was left out. */
  blank: number = Number.NEGATIVE_INFINITY;
  /** Number of tokens. */
  count = 0;
  /** `[count]`, and room for more. */
  readonly tokenIds: Int32Array;
  readonly logProbs: Float64Array;
  readonly #lattice: CtcLattice;
  readonly #minLogProb: number;
  readonly #logProbOf = new Map<number, number>();

  /** Labels less probable than `minLogProb`, natural log, are left out, but for the best one. */
  constructor(lattice: CtcLattice, minLogProb: number) {
    this.#lattice = lattice;
    this.#minLogProb = minLogProb;
    this.tokenIds = new Int32Array(lattice.k);
    this.logProbs = new Float64Array(lattice.k);
  }

  read(frame: number): void {
    const { k, blankId, tokenIds, logProbs, blankLogProbs } = this.#lattice;
    const blank = blankLogProbs[frame] as number;
    let best = blank;
    for (let cell = frame * k; cell < (frame + 1) * k; cell++) {
      if (tokenIds[cell] !== blankId) best = Math.max(best, logProbs[cell] as number);
    }
    const least = Math.min(best, this.#minLogProb);
    this.blank = blank >= least ? blank : Number.NEGATIVE_INFINITY;
    this.count = 0;
    this.#logProbOf.clear();
    for (let cell = frame * k; cell < (frame + 1) * k; cell++) {
      const tokenId = tokenIds[cell] as number;
      const logProb = logProbs[cell] as number;
      if (tokenId === blankId || logProb === Number.NEGATIVE_INFINITY || logProb < least) continue;
      this.tokenIds[this.count] = tokenId;
      this.logProbs[this.count++] = logProb;
      this.#logProbOf.set(tokenId, logProb);
    }
  }

  /** `-Infinity` for a token that is not among the labels, such as -1. */
  logProbOf(tokenId: number): number {
    return this.#logProbOf.get(tokenId) ?? Number.NEGATIVE_INFINITY;
  }
}
