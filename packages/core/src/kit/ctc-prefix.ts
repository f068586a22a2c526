import type { CtcLattice } from '../contract/lattice.js';
import { CtcEmissions } from './ctc-emissions.js';

/**
 * Where an output prefix stands in a CTC lattice: the mass of the alignments of the first `t` frames that collapse to
 * exactly this prefix, divided by the probability that the output begins with it. Immutable.
 */
export interface CtcPrefix {
  /** Natural-log probability that the output begins with this prefix; `-Infinity` where no alignment fits it. */
  readonly logProb: number;
  /** The last token, -1 for the empty prefix. */
  readonly lastTokenId: number;
  /** `[frames + 1]`: relative mass after `t` frames of alignments that end with a blank. */
  readonly blankMass: Float64Array;
  /** `[frames + 1]`: the same for alignments that end with the last token. */
  readonly labelMass: Float64Array;
}

/** What follows a prefix: probabilities given the prefix, which sum to 1 with those of all other tokens. Its arrays belong to the caller. */
export interface CtcContinuations {
  /** That the output ends here. */
  readonly end: number;
  /** Tokens that are candidates of some frame, `[count]`, in no particular order, with their probabilities. */
  readonly tokenIds: number[];
  /** Probability of each of `tokenIds` to be next, given the prefix. */
  readonly probabilities: number[];
  /** Of any one token that is no frame's candidate (were it the last token, it may be lower). */
  readonly other: number;
}

// Below this a relative mass cannot change a probability that anyone looks at, and its frame is skipped.
const NEGLIGIBLE = 1e-13;
// A division by less would leave the range of doubles.
const IMPOSSIBLE = 1e-290;

/** Arrays that are made at once. */
const BLOCK = 8;

/**
 * Scores output prefixes under a CTC lattice, summed over all alignments (the forward recursion of Graves et al., 2006,
 * section 4.1, and the prefix probabilities of Graves and Jaitly, 2014, appendix).
 *
 * Frames are independent and normalised, so all suffixes of an alignment sum to 1 and only the forward half is needed:
 * `P(prefix·c …) = Σ_t emission_t(c) · (blankMass_t + [c ≠ last] · labelMass_t)`. Masses are kept in the linear domain,
 * rescaled for each prefix, so hundreds of frames do not underflow. A token outside a frame's candidates has a small
 * probability there, so any prefix that has room finds its place again: substitutions, insertions and deletions compete
 * as alignments.
 */
export class CtcPrefixScorer {
  readonly #emissions: CtcEmissions;
  readonly #emission: Float64Array;
  readonly #sums: Float64Array;
  /** Arrays of prefixes that nobody reads any more; as in new ones, the first mass is 0: before any frame nothing is said. */
  readonly #free: Float64Array[] = [];

  /** `vocabularySize` counts all token ids; `row` is named in errors. Throws as `CtcEmissions` does. */
  constructor(lattice: CtcLattice, vocabularySize: number, row: number = 0) {
    this.#emissions = new CtcEmissions(lattice, vocabularySize, row);
    this.#emission = this.#masses();
    this.#sums = new Float64Array(this.#emissions.tokenIdOf.length);
  }

  /** The empty prefix. */
  start(): CtcPrefix {
    const { frames, blank } = this.#emissions;
    const blankMass = this.#masses();
    blankMass[0] = 1;
    for (let frame = 0; frame < frames; frame++) {
      blankMass[frame + 1] = blankMass[frame] * blank[frame];
    }
    return { logProb: 0, lastTokenId: -1, blankMass, labelMass: this.#masses().fill(0) };
  }

  /** The prefix with one more token, in O(frames). */
  extend(prefix: CtcPrefix, tokenId: number): CtcPrefix {
    const { frames, blank } = this.#emissions;
    const emission = this.#emission;
    this.#emissions.writeTo(emission, tokenId);
    const repeats = tokenId === prefix.lastTokenId;
    const blankMass = this.#masses();
    const labelMass = this.#masses();
    let ending = 0;
    let resting = 0;
    let total = 0;
    for (let frame = 0; frame < frames; frame++) {
      const before = prefix.blankMass[frame] + (repeats ? 0 : prefix.labelMass[frame]);
      const begun = emission[frame] * before;
      total += begun;
      resting = blank[frame] * (resting + ending);
      ending = begun + emission[frame] * ending;
      blankMass[frame + 1] = resting;
      labelMass[frame + 1] = ending;
    }
    const possible = total > IMPOSSIBLE;
    const scale = possible ? 1 / total : 0;
    for (let frame = 1; frame <= frames; frame++) {
      blankMass[frame] = blankMass[frame] * scale;
      labelMass[frame] = labelMass[frame] * scale;
    }
    const logProb = possible ? prefix.logProb + Math.log(total) : -Infinity;
    return { logProb, lastTokenId: tokenId, blankMass, labelMass };
  }

  /**
   * Takes back the arrays of a prefix, for prefixes to come: a drafter goes through some ten prefixes a round, and arrays cost as
   * much as the arithmetic. The prefix must not be read any more, nor released again.
   */
  release({ blankMass, labelMass }: CtcPrefix): void {
    // That of the empty prefix is 1.
    blankMass[0] = 0;
    this.#free.push(blankMass, labelMass);
  }

  /** `[frames + 1]`, of what is free, or of a new block for several. */
  #masses(): Float64Array {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const size = this.#emissions.frames + 1;
    const block = new Float64Array(BLOCK * size);
    for (let at = size; at < block.length; at += size) this.#free.push(block.subarray(at, at + size));
    return block.subarray(0, size);
  }

  /** Probability, given the prefix, that the output is exactly the prefix. */
  end(prefix: CtcPrefix): number {
    const { frames } = this.#emissions;
    return prefix.blankMass[frames] + prefix.labelMass[frames];
  }

  /** The distribution of the next token given the prefix; tokens less probable than `least` are left out. */
  continuations(prefix: CtcPrefix, min = 0): CtcContinuations {
    const { frames, k, floor, labels, probabilities: emission, tokenIdOf } = this.#emissions;
    const sums = this.#sums.fill(0);
    let other = 0;
    let touched = false;
    for (let frame = 0; frame < frames; frame++) {
      const before = prefix.blankMass[frame] + prefix.labelMass[frame];
      if (before < NEGLIGIBLE) continue;
      touched = true;
      const base = floor[frame];
      other += base * before;
      for (let cell = frame * k; cell < (frame + 1) * k; cell++) {
        const label = labels[cell];
        if (label >= 0) sums[label] = sums[label] + (emission[cell] - base) * before;
      }
    }
    const last = touched ? this.#emissions.labelOf(prefix.lastTokenId) : -1;
    const tokenIds: number[] = [];
    const probabilities: number[] = [];
    for (let label = 0; label < sums.length; label++) {
      const probability = label === last ? this.#repeated(prefix) : other + sums[label];
      if (probability <= 0 || probability < min) continue;
      tokenIds.push(tokenIdOf[label]);
      probabilities.push(probability);
    }
    return { end: this.end(prefix), tokenIds, probabilities, other };
  }

  /** Probability that the last token comes once more: a blank must lie between. */
  #repeated(prefix: CtcPrefix): number {
    this.#emissions.writeTo(this.#emission, prefix.lastTokenId);
    let sum = 0;
    for (let frame = 0; frame < this.#emissions.frames; frame++) {
      sum += this.#emission[frame] * prefix.blankMass[frame];
    }
    return sum;
  }
}
