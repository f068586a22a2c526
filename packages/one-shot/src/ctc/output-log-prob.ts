import type { CtcLattice } from '@foretoken/core';

// Masses this small are rescaled; a frame less probable than what then is left of the range of doubles rules an output out.
const SMALL = 1e-100;

/** Natural-log probabilities of the two ways to say an output. */
export interface OutputLogProb {
  /** By alignments of all frames. */
  readonly whole: number;
  /** By alignments that were cut: by an end token or, where an output is over, at its last token. */
  readonly cut: number;
}

/**
 * Scores outputs under one CTC lattice, summed over all alignments of its candidates (the forward recursion of Graves et
 * al., 2006, section 4.1). What follows an end token, or an output that is over, may be anything. Masses are kept in the
 * linear domain.
 */
export class OutputScorer {
  readonly #lattice: CtcLattice;
  readonly #endTokenId: number | undefined;
  /** `[frames, k]` and `[frames]`. */
  readonly #probabilities: Float64Array;
  readonly #blanks: Float64Array;
  /** `[frames]`: of the end token, and of all labels together. */
  readonly #ends: Float64Array;
  readonly #totals: Float64Array;

  constructor(lattice: CtcLattice, endTokenId: number | undefined) {
    const { frames, k, blankId, tokenIds } = lattice;
    this.#lattice = lattice;
    this.#endTokenId = endTokenId;
    this.#probabilities = exponentials(lattice.logProbs);
    this.#blanks = exponentials(lattice.blankLogProbs);
    this.#ends = new Float64Array(frames);
    this.#totals = this.#blanks.slice();
    for (let cell = 0; cell < frames * k; cell++) {
      if (tokenIds[cell] === blankId) continue;
      const frame = Math.floor(cell / k);
      const probability = this.#probabilities[cell];
      // Candidates that were ruled out may hold any id, also one that is possible in the same frame.
      if (probability === 0) continue;
      this.#totals[frame] = this.#totals[frame] + probability;
      if (tokenIds[cell] === this.#endTokenId) this.#ends[frame] = probability;
    }
  }

  /**
   * Natural-log probabilities of an output without end token, which is `over` where a limit or stop cuts it at its last token;
   * `-Infinity` also where a frame or, beside those of the output's own prefixes, its mass is too small for doubles.
   */
  logProb(output: readonly number[], over: boolean): OutputLogProb {
    const { frames, k, blankId, tokenIds } = this.#lattice;
    const count = output.length;
    const places = placesOf(output);
    /** Alignments that end with token i, and with the blank after i tokens. */
    const tokens = new Float64Array(count);
    const blanks = new Float64Array(count + 1);
    blanks[0] = 1;
    let cut = 0;
    const emissions = new Float64Array(count);
    let logScale = 0;
    for (let frame = 0; frame < frames; frame++) {
      emissions.fill(0);
      for (let cell = frame * k; cell < (frame + 1) * k; cell++) {
        const tokenId = tokenIds[cell];
        const probability = this.#probabilities[cell];
        if (tokenId === blankId || probability === 0) continue;
        const here = places.get(tokenId);
        if (here === undefined) continue;
        for (const place of here) emissions[place] = probability;
      }
      const blank = this.#blanks[frame];
      const said = blanks[count] + (count > 0 ? tokens[count - 1] : 0);
      cut = cut * this.#totals[frame] + said * this.#ends[frame];
      let total = 0;
      // Places before this one have too few frames left for the tokens that must follow.
      const first = Math.max(0, count - (frames - frame));
      // From the last to the first, so that what came before is still that of the frame before.
      for (let place = Math.min(count, frame + 1) - 1; place >= first; place--) {
        const token = tokens[place];
        // Between two different tokens the blank may be left out.
        const skips = place > 0 && output[place] !== output[place - 1];
        const entered = blanks[place] + (skips ? tokens[place - 1] : 0);
        if (over && place === count - 1) {
          cut += entered * emissions[place];
          continue;
        }
        const after = (blanks[place + 1] + token) * blank;
        tokens[place] = (token + entered) * emissions[place];
        blanks[place + 1] = after;
        total += tokens[place] + after;
      }
      if (first === 0) {
        blanks[0] = blanks[0] * blank;
        total += blanks[0];
      }
      total += cut;
      if (!(total > 0)) return { whole: Number.NEGATIVE_INFINITY, cut: Number.NEGATIVE_INFINITY };
      if (total > SMALL) continue;
      for (let place = 0; place < count; place++) tokens[place] = tokens[place] / total;
      for (let place = 0; place <= count; place++) blanks[place] = blanks[place] / total;
      cut /= total;
      logScale += Math.log(total);
    }
    const whole = blanks[count] + (count > 0 ? tokens[count - 1] : 0);
    return { whole: logScale + Math.log(whole), cut: logScale + Math.log(cut) };
  }
}

function exponentials(logProbs: Float32Array): Float64Array {
  const values = new Float64Array(logProbs.length);
  for (let index = 0; index < values.length; index++) values[index] = Math.exp(logProbs[index]);
  return values;
}

/** Places of each token in an output. */
function placesOf(output: readonly number[]): Map<number, number[]> {
  const places = new Map<number, number[]>();
  for (const [place, tokenId] of output.entries()) {
    const known = places.get(tokenId);
    if (known === undefined) places.set(tokenId, [place]);
    else known.push(place);
  }
  return places;
}
