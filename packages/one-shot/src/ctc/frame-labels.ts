import type { CtcLattice } from '@foretoken/core';

const NEVER = Number.NEGATIVE_INFINITY;

/** The labels of one frame that a search looks at; overwritten by each `read`. */
export class FrameLabels {
  /** Natural-log probability of the blank; `-Infinity` where it was left out. */
  blank: number = NEVER;
  /** Natural-log probability of the end token; `-Infinity` where it is not among the labels. */
  end: number = NEVER;
  /** Number of tokens, without the end token. */
  count = 0;
  /** `[count]`, and room for more. */
  readonly tokenIds: Int32Array;
  readonly logProbs: Float64Array;
  readonly #lattice: CtcLattice;
  readonly #minLogProb: number;
  readonly #endTokenId: number | undefined;
  readonly #logProbOf = new Map<number, number>();

  /** Labels less probable than `minLogProb`, natural log, are left out, but for the best one. */
  constructor(lattice: CtcLattice, minLogProb: number, endTokenId: number | undefined) {
    this.#lattice = lattice;
    this.#minLogProb = minLogProb;
    this.#endTokenId = endTokenId;
    this.tokenIds = new Int32Array(lattice.k);
    this.logProbs = new Float64Array(lattice.k);
  }

  read(frame: number): void {
    const { k, blankId, tokenIds, logProbs, blankLogProbs } = this.#lattice;
    const blank = blankLogProbs[frame];
    let best = blank;
    for (let cell = frame * k; cell < (frame + 1) * k; cell++) {
      if (tokenIds[cell] !== blankId) best = Math.max(best, logProbs[cell]);
    }
    const min = Math.min(best, this.#minLogProb);
    this.blank = blank >= min ? blank : NEVER;
    this.end = NEVER;
    this.count = 0;
    this.#logProbOf.clear();
    for (let cell = frame * k; cell < (frame + 1) * k; cell++) {
      const tokenId = tokenIds[cell];
      const logProb = logProbs[cell];
      if (tokenId === blankId || logProb === NEVER || logProb < min) continue;
      if (tokenId === this.#endTokenId) {
        this.end = logProb;
        continue;
      }
      this.tokenIds[this.count] = tokenId;
      this.logProbs[this.count++] = logProb;
      this.#logProbOf.set(tokenId, logProb);
    }
  }

  /** `-Infinity` for a token that is not among the labels, such as -1. */
  logProbOf(tokenId: number): number {
    return this.#logProbOf.get(tokenId) ?? NEVER;
  }

  /** Natural-log probability of all labels together: of whatever may follow an output that is over. */
  total(): number {
    let max = Math.max(this.blank, this.end);
    for (let index = 0; index < this.count; index++) max = Math.max(max, this.logProbs[index]);
    let sum = Math.exp(this.blank - max) + Math.exp(this.end - max);
    for (let index = 0; index < this.count; index++) sum += Math.exp(this.logProbs[index] - max);
    return max + Math.log(sum);
  }
}
