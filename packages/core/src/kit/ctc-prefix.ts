import type { CtcLattice } from '../contract/lattice.js';
import { ArrayBlock } from './array-block.js';
import { BLANK, CANDIDATES, CtcEmissions, FLOOR } from './ctc-emissions.js';

/**
 * Where an output prefix stands in a CTC lattice. It belongs to the scorer that made it, which keeps its masses, and stays as it is
 * until it is released.
 */
export interface CtcPrefix {
  /** Natural-log probability that the output begins with this prefix; `-Infinity` where no alignment fits it. */
  readonly logProb: number;
  /** The last token, -1 for the empty prefix. */
  readonly lastTokenId: number;
  /** Tokens of it: so many frames must be over. */
  readonly length: number;
  /** Where its masses begin among those of the scorer; those of the first `length` frames are not written. */
  readonly at: number;
}

/** What follows a prefix: probabilities given the prefix, which sum to 1 with those of all other tokens. */
export interface CtcContinuations {
  /** That the output ends here. */
  readonly end: number;
  /** How many of the tokens below there are. */
  readonly count: number;
  /** Tokens that are candidates of some frame, `[count]` and more, in no particular order. */
  readonly tokenIds: Int32Array;
  /** Probability of each of `tokenIds` to be next, given the prefix. */
  readonly probabilities: Float64Array;
  /** Of any one token that is no frame's candidate (were it the last token, it may be lower). */
  readonly other: number;
}

// Below this a relative mass cannot change a probability that anyone looks at, and its frame is skipped.
const NEGLIGIBLE = 1e-13;
// A division by less would leave the range of doubles.
const IMPOSSIBLE = 1e-290;

/** Prefixes that there is room for at first: a draft and the place below which it grows are a dozen. */
const ROOM = 12;

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
  /** By dense label; zeros between calls. */
  readonly #sums: Float64Array;
  readonly #tokenIds: Int32Array;
  readonly #probabilities: Float64Array;
  /**
   * Of each prefix, `[frames + 1, 2]`: the mass of the alignments of the first `t` frames that collapse to exactly this prefix and
   * end with a blank, and that of those which end with the last token; divided by the probability that the output begins with
   * the prefix. In one array: a drafter goes through some ten prefixes a round, and arrays cost as much as the arithmetic.
   */
  #masses: Float64Array;
  /** Masses of one prefix. */
  readonly #size: number;
  #used = 0;
  /** Where the masses of released prefixes begin. */
  readonly #free: number[] = [];

  /** `vocabularySize` counts all token ids; `row` is named in errors. Throws as `CtcEmissions` does. */
  constructor(lattice: CtcLattice, vocabularySize: number, row: number = 0) {
    this.#emissions = new CtcEmissions(lattice, vocabularySize, row);
    const { frames, size } = this.#emissions;
    this.#size = 2 * (frames + 1);
    const room = ROOM * this.#size;
    const block = new ArrayBlock(room + frames + 2 * size + 1, size);
    this.#masses = block.doubles(room);
    this.#emission = block.doubles(frames);
    this.#sums = block.doubles(size + 1);
    this.#probabilities = block.doubles(size);
    this.#tokenIds = block.integers(size);
  }

  /** The empty prefix. */
  start(): CtcPrefix {
    const { frames, width, probabilities } = this.#emissions;
    const at = this.#place();
    const masses = this.#masses;
    let mass = 1;
    for (let frame = 0; frame <= frames; frame++) {
      masses[at + 2 * frame] = mass;
      masses[at + 2 * frame + 1] = 0;
      mass *= probabilities[frame * width + BLANK];
    }
    return { logProb: 0, lastTokenId: -1, length: 0, at };
  }

  /** The prefix with one more token, in O(frames). */
  extend(prefix: CtcPrefix, tokenId: number): CtcPrefix {
    const { frames, width, probabilities } = this.#emissions;
    const emission = this.#emission;
    this.#emissions.writeTo(emission, tokenId);
    const repeats = tokenId === prefix.lastTokenId;
    const at = this.#place();
    const masses = this.#masses;
    const { length } = prefix;
    // Of the frame that is being read: of the old prefix before it, and of the new one after it.
    let before = prefix.at + 2 * length;
    let after = at + 2 * length + 2;
    let ending = 0;
    let resting = 0;
    let total = 0;
    for (let frame = length; frame < frames; frame++) {
      const begun = emission[frame] * (masses[before] + (repeats ? 0 : masses[before + 1]));
      total += begun;
      resting = probabilities[frame * width + BLANK] * (resting + ending);
      ending = begun + emission[frame] * ending;
      masses[after] = resting;
      masses[after + 1] = ending;
      before += 2;
      after += 2;
    }
    const possible = total > IMPOSSIBLE;
    const scale = possible ? 1 / total : 0;
    for (let index = at + 2 * length + 2; index < after; index++) masses[index] = masses[index] * scale;
    const logProb = possible ? prefix.logProb + Math.log(total) : -Infinity;
    return { logProb, lastTokenId: tokenId, length: length + 1, at };
  }

  /** Takes back the room of a prefix, for prefixes to come. The prefix must not be used any more, nor released again. */
  release(prefix: CtcPrefix): void {
    this.#free.push(prefix.at);
  }

  /** Where a new prefix's masses begin; makes room, so read `#masses` after it. */
  #place(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const at = this.#used;
    this.#used += this.#size;
    if (this.#used > this.#masses.length) {
      const larger = new Float64Array(2 * this.#masses.length);
      larger.set(this.#masses);
      this.#masses = larger;
    }
    return at;
  }

  /** Probability, given the prefix, that the output is exactly the prefix. */
  end({ length, at }: CtcPrefix): number {
    if (length > this.#emissions.frames) return 0;
    const last = at + this.#size - 2;
    return this.#masses[last] + this.#masses[last + 1];
  }

  /**
   * The distribution of the next token given the prefix; tokens less probable than `min` are left out. The caller may write to the
   * arrays, and the next call writes to them again.
   */
  continuations(prefix: CtcPrefix, min = 0): CtcContinuations {
    const { frames, width, labels, probabilities: emission, tokenIdOf, size } = this.#emissions;
    const masses = this.#masses;
    const sums = this.#sums;
    let other = 0;
    // Labels of the frames that count: they are numbered as they appear, so those of neighbouring frames lie together.
    let from = size + 1;
    let to = 0;
    for (let frame = prefix.length; frame < frames; frame++) {
      const before = masses[prefix.at + 2 * frame] + masses[prefix.at + 2 * frame + 1];
      if (before < NEGLIGIBLE) continue;
      const base = emission[frame * width + FLOOR];
      other += base * before;
      for (let cell = frame * width + CANDIDATES; cell < (frame + 1) * width; cell++) {
        const label = labels[cell];
        if (label === 0) continue;
        sums[label] = sums[label] + (emission[cell] - base) * before;
        if (label < from) from = label;
        if (label > to) to = label;
      }
    }
    // What no such frame names is as probable as any token.
    const all = other > 0 && other >= min;
    if (all) from = 1;
    if (all) to = size;
    const last = this.#emissions.labelOf(prefix.lastTokenId);
    let count = 0;
    for (let label = from; label <= to; label++) {
      let probability = other + sums[label];
      sums[label] = 0;
      if (probability <= 0 || probability < min) continue;
      // The last token is less probable than others would be.
      if (label === last) probability = this.#repeated(prefix);
      if (probability <= 0 || probability < min) continue;
      this.#tokenIds[count] = tokenIdOf[label];
      this.#probabilities[count++] = probability;
    }
    return { end: this.end(prefix), count, tokenIds: this.#tokenIds, probabilities: this.#probabilities, other };
  }

  /** Probability that the last token comes once more: a blank must lie between. */
  #repeated({ at, lastTokenId, length }: CtcPrefix): number {
    this.#emissions.writeTo(this.#emission, lastTokenId);
    let sum = 0;
    for (let frame = length; frame < this.#emissions.frames; frame++) {
      sum += this.#emission[frame] * this.#masses[at + 2 * frame];
    }
    return sum;
  }
}
