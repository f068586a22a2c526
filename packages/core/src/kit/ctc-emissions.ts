import type { CtcLattice } from '../contract/lattice.js';
import { assertScores, invalidScores, noTokenLeft } from '../tensor/score-checks.js';
import { ArrayBlock } from './array-block.js';
import { assertInteger } from './checks.js';

/** Least probability of all labels outside a frame's candidates together, so that no label is ever impossible. */
const MIN_REMAINDER = 1e-9;

/** Where a frame's probabilities begin: that of the blank, that of any label that is no candidate (`floor`), then the candidates'. */
export const BLANK: number = 0;
export const FLOOR: number = 1;
export const CANDIDATES: number = 2;

/**
 * A CTC lattice as linear-domain probabilities of every label, normalised for each frame.
 *
 * A frame's candidates keep their scores; what they and the blank leave of the frame's mass is spread evenly over the
 * rest of the vocabulary. Distinct candidate labels are numbered densely from 1, in order of first appearance. There are
 * few arrays, since many lattices are read and a small array costs more than what is done with it.
 */
export class CtcEmissions {
  readonly frames: number;
  /** Cells of a frame. */
  readonly width: number;
  /** `[frames, width]`: probability of the blank, of any one label that is not a candidate of the frame, of each candidate. */
  readonly probabilities: Float64Array;
  /** `[frames, width]`: dense label of each candidate, 0 where a cell holds none. */
  readonly labels: Int32Array;
  /** Dense labels there are, 0 not counted. */
  readonly size: number;
  /** Token id of each dense label. */
  readonly tokenIdOf: Int32Array;
  /** The first cell of each dense label, and of each cell the next one with the same label; 0 where there is none. */
  readonly #firstCell: Int32Array;
  readonly #nextCell: Int32Array;
  /** Dense labels by a hash of their token ids, 0 where free. */
  readonly #slots: Int32Array;

  /**
   * `vocabularySize` counts all token ids, the blank too where it is one; `row` is named in errors. Throws `INVALID_ARGUMENT`,
   * `INVALID_SCORES` where a score is NaN or too large for a probability, also one that nothing is made of, and `UNSATISFIABLE_CONSTRAINT` where a frame rules
   * everything out.
   */
  constructor(lattice: CtcLattice, vocabularySize: number, row: number = 0) {
    assertInteger('vocabularySize', vocabularySize, 1, Number.MAX_SAFE_INTEGER);
    const { frames, k, blankId } = lattice;
    const width = CANDIDATES + k;
    const cells = frames * width;
    // At most, the label 0 counted.
    const labels = frames * k + 1;
    const slots = 2 ** Math.ceil(Math.log2(2 * labels));
    const block = new ArrayBlock(cells, 2 * cells + 2 * labels + slots);
    this.frames = frames;
    this.width = width;
    this.probabilities = block.doubles(cells);
    this.labels = block.integers(cells);
    this.#nextCell = block.integers(cells);
    this.tokenIdOf = block.integers(labels);
    this.#firstCell = block.integers(labels);
    this.#slots = block.integers(slots);
    let size = 0;
    const allLabels = blankId < vocabularySize ? vocabularySize - 1 : vocabularySize;
    for (let frame = 0; frame < frames; frame++) {
      // Also of cells that hold the blank or a token again: such a lattice is damaged, and would draft badly in silence.
      assertScores(lattice.logProbs, row, frame, frame * k, (frame + 1) * k);
      assertScores(lattice.blankLogProbs, row, frame, frame, frame + 1);
      const start = frame * width;
      let mass = Math.exp(lattice.blankLogProbs[frame]);
      this.probabilities[start + BLANK] = mass;
      let candidates = 0;
      for (let index = 0; index < k; index++) {
        const tokenId = lattice.tokenIds[frame * k + index];
        if (tokenId === blankId || isMeaningless(lattice, frame, frame * k + index, vocabularySize)) continue;
        const slot = this.#slotOf(tokenId);
        if (this.#slots[slot] === 0) {
          this.#slots[slot] = ++size;
          this.tokenIdOf[size] = tokenId;
        }
        const probability = Math.exp(lattice.logProbs[frame * k + index]);
        this.labels[start + CANDIDATES + index] = this.#slots[slot];
        this.probabilities[start + CANDIDATES + index] = probability;
        mass += probability;
        candidates++;
      }
      // Finite logarithms may still be too large.
      if (mass === Number.POSITIVE_INFINITY) throw invalidScores(row, frame, mass);
      if (mass === 0) throw noTokenLeft(row, frame);
      this.#normalise(start, mass, allLabels - candidates);
    }
    this.size = size;
    for (let cell = cells - 1; cell >= 0; cell--) {
      const label = this.labels[cell];
      this.#nextCell[cell] = this.#firstCell[label];
      this.#firstCell[label] = cell;
    }
  }

  /** Dense label of a token, or 0 where it is no frame's candidate. */
  labelOf(tokenId: number): number {
    return this.#slots[this.#slotOf(tokenId)];
  }

  /** Probability of one token in every frame, `[frames]`, written to `out`. */
  writeTo(out: Float64Array, tokenId: number): void {
    const { frames, width, probabilities } = this;
    for (let frame = 0; frame < frames; frame++) out[frame] = probabilities[frame * width + FLOOR];
    const label = this.labelOf(tokenId);
    if (label === 0) return;
    for (let cell = this.#firstCell[label]; cell > 0; cell = this.#nextCell[cell]) {
      out[Math.floor(cell / width)] = probabilities[cell];
    }
  }

  /** Where the label of a token stands among the slots, or would. */
  #slotOf(tokenId: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = (Math.imul(tokenId, 0x9e3779b1) >>> 16) & mask;
    while (slots[slot] !== 0 && this.tokenIdOf[slots[slot]] !== tokenId) slot = (slot + 1) & mask;
    return slot;
  }

  /** Scores come as 32-bit logarithms, so a frame's sum is a little off; over hundreds of frames that would add up. */
  #normalise(start: number, mass: number, others: number): void {
    const remainder = others > 0 ? Math.max(1 - mass, MIN_REMAINDER) : 0;
    const scale = 1 / (mass + remainder);
    const { probabilities } = this;
    for (let cell = start; cell < start + this.width; cell++) probabilities[cell] = probabilities[cell] * scale;
    probabilities[start + FLOOR] = others > 0 ? (remainder / others) * scale : 0;
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
