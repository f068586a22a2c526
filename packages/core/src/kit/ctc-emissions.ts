import type { CtcLattice } from '../contract/lattice.js';
import { assertScores, invalidScores, noTokenLeft } from '../tensor/score-checks.js';
import { assertInteger } from './checks.js';

/** Least probability of all labels outside a frame's candidates together, so that no label is ever impossible. */
const MIN_REMAINDER = 1e-9;

/**
 * A CTC lattice as linear-domain probabilities of every label, normalised for each frame.
 *
 * A frame's candidates keep their scores; what they and the blank leave of the frame's mass is spread evenly over the
 * rest of the vocabulary (`floor`). Distinct candidate labels are numbered densely, in order of first appearance.
 */
export class CtcEmissions {
  readonly frames: number;
  readonly k: number;
  /** `[frames]`: probability of the blank. */
  readonly blank: Float64Array;
  /** `[frames]`: probability of any one label that is not a candidate of the frame. */
  readonly floor: Float64Array;
  /** Token id of each dense label, `[labels]`. */
  readonly tokenIdOf: readonly number[];
  /** `[frames, k]`: dense label of each candidate, -1 for the blank. */
  readonly labels: Int32Array;
  /** `[frames, k]`: probability of each candidate. */
  readonly probabilities: Float64Array;
  readonly #labelOf = new Map<number, number>();
  /** Cells of `labels` that hold each dense label, in frame order, as one list: label i owns `[first[i], first[i + 1])`. */
  readonly #first: Int32Array;
  readonly #cells: Int32Array;

  /**
   * `vocabularySize` counts all token ids, the blank too where it is one; `row` is named in errors. Throws `INVALID_ARGUMENT`,
   * `INVALID_SCORES` where a score is NaN or too large for a probability, also one that nothing is made of, and `UNSATISFIABLE_CONSTRAINT` where a frame rules
   * everything out.
   */
  constructor(lattice: CtcLattice, vocabularySize: number, row: number = 0) {
    assertInteger('vocabularySize', vocabularySize, 1, Number.MAX_SAFE_INTEGER);
    const { frames, k, blankId } = lattice;
    this.frames = frames;
    this.k = k;
    this.blank = new Float64Array(frames);
    this.floor = new Float64Array(frames);
    this.labels = new Int32Array(frames * k).fill(-1);
    this.probabilities = new Float64Array(frames * k);
    const tokenIdOf: number[] = [];
    const counts: number[] = [];
    const allLabels = blankId < vocabularySize ? vocabularySize - 1 : vocabularySize;
    for (let frame = 0; frame < frames; frame++) {
      // Also of cells that hold the blank or a token again: such a lattice is damaged, and would draft badly in silence.
      assertScores(lattice.logProbs, row, frame, frame * k, (frame + 1) * k);
      assertScores(lattice.blankLogProbs, row, frame, frame, frame + 1);
      let mass = Math.exp(lattice.blankLogProbs[frame]);
      this.blank[frame] = mass;
      let candidates = 0;
      for (let cell = frame * k; cell < (frame + 1) * k; cell++) {
        const tokenId = lattice.tokenIds[cell];
        if (tokenId === blankId || isMeaningless(lattice, frame, cell, vocabularySize)) continue;
        let label = this.#labelOf.get(tokenId);
        if (label === undefined) {
          label = tokenIdOf.push(tokenId) - 1;
          this.#labelOf.set(tokenId, label);
          counts.push(0);
        }
        const probability = Math.exp(lattice.logProbs[cell]);
        this.labels[cell] = label;
        this.probabilities[cell] = probability;
        counts[label] = counts[label] + 1;
        mass += probability;
        candidates++;
      }
      // Finite logarithms may still be too large.
      if (mass === Number.POSITIVE_INFINITY) throw invalidScores(row, frame, mass);
      if (mass === 0) throw noTokenLeft(row, frame);
      this.#normalise(frame, mass, allLabels - candidates);
    }
    this.tokenIdOf = tokenIdOf;
    this.#first = new Int32Array(tokenIdOf.length + 1);
    for (let label = 0; label < tokenIdOf.length; label++) {
      this.#first[label + 1] = this.#first[label] + counts[label];
    }
    this.#cells = new Int32Array(this.#first[tokenIdOf.length]);
    const next = this.#first.slice();
    for (let cell = 0; cell < this.labels.length; cell++) {
      const label = this.labels[cell];
      if (label < 0) continue;
      this.#cells[next[label]] = cell;
      next[label] = next[label] + 1;
    }
  }

  /** Dense label of a token, or -1 where it is no frame's candidate. */
  labelOf(tokenId: number): number {
    return this.#labelOf.get(tokenId) ?? -1;
  }

  /** Probability of one token in every frame, `[frames]`, written to `out`. */
  writeTo(out: Float64Array, tokenId: number): void {
    out.set(this.floor);
    const label = this.labelOf(tokenId);
    if (label < 0) return;
    const end = this.#first[label + 1];
    for (let index = this.#first[label]; index < end; index++) {
      const cell = this.#cells[index];
      out[Math.floor(cell / this.k)] = this.probabilities[cell];
    }
  }

  /** Scores come as 32-bit logarithms, so a frame's sum is a little off; over hundreds of frames that would add up. */
  #normalise(frame: number, mass: number, others: number): void {
    const remainder = others > 0 ? Math.max(1 - mass, MIN_REMAINDER) : 0;
    const scale = 1 / (mass + remainder);
    this.blank[frame] = this.blank[frame] * scale;
    this.floor[frame] = others > 0 ? (remainder / others) * scale : 0;
    for (let cell = frame * this.k; cell < (frame + 1) * this.k; cell++) {
      this.probabilities[cell] = this.probabilities[cell] * scale;
    }
  }
}

/** Candidates that were ruled out may hold any id: one that is none, or one that the frame has in another cell. */
function isMeaningless({ k, tokenIds, logProbs }: CtcLattice, frame: number, cell: number, size: number): boolean {
  if (logProbs[cell] !== Number.NEGATIVE_INFINITY) return false;
  const tokenId = tokenIds[cell];
  if (!(tokenId >= 0 && tokenId < size)) return true;
  for (let other = frame * k; other < (frame + 1) * k; other++) {
    if (tokenIds[other] !== tokenId || other === cell) continue;
    if (other < cell || logProbs[other] !== Number.NEGATIVE_INFINITY) return true;
  }
  return false;
}
