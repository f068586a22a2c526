import type { TokenAlignment } from '../contract/events.js';
import type { CtcLattice } from '../contract/lattice.js';

/** Which frames of a CTC lattice say each token of an output, and how probable that is. */
export interface CtcAlignment extends TokenAlignment {
  /** Natural-log probability of the alignment: the sum over all frames, blanks included. */
  readonly score: number;
}

/**
 * The most probable alignment of given tokens with the frames of a CTC lattice (forced alignment: the Viterbi form of the
 * forward recursion of Graves et al., 2006, section 4.1), or undefined where no alignment of its candidates says them.
 *
 * A token is impossible in a frame that does not have it among its candidates. With `open`, whatever label is best may follow
 * the last token, as behind the place where an output was cut.
 */
export function ctcAlignment(
  lattice: CtcLattice,
  tokenIds: ArrayLike<number>,
  open: boolean = false,
): CtcAlignment | undefined {
  const { frames } = lattice;
  const tokens = tokenIds.length;
  // State 2i + 1 is token i, the even states are the blanks around it.
  const states = 2 * tokens + 1;
  const emissions = emissionsOf(lattice, tokenIds);
  const stepsBack = new Uint8Array(frames * states);
  let before = new Float64Array(states).fill(Number.NEGATIVE_INFINITY);
  let here = new Float64Array(states);
  before[0] = 0;
  for (let frame = 0; frame < frames; frame++) {
    for (let state = 0; state < states; state++) {
      let best = before[state];
      let steps = 0;
      // Nothing comes before the first frame but its virtual blank, from which the first token is one step.
      const max = maySkip(tokenIds, state) ? 2 : Math.min(state, 1);
      const rests = open && state === states - 1;
      for (let step = 1; step <= max; step++) {
        const score = before[state - step];
        // Among equals the last token is left as late as can be, so that it has all frames of its run.
        if (score > best || (rests && score === best)) {
          best = score;
          steps = step;
        }
      }
      const token = (state - 1) >> 1;
      const between = rests ? bestOf(lattice, frame) : lattice.blankLogProbs[frame];
      here[state] = best + (state % 2 === 0 ? between : emissions[token * frames + frame]);
      stepsBack[frame * states + state] = steps;
    }
    [before, here] = [here, before];
  }
  let state = states - 1;
  if (tokens > 0 && before[state - 1] >= before[state]) state--;
  const score = before[state];
  if (score === Number.NEGATIVE_INFINITY) return undefined;
  const firstFrames = new Int32Array(tokens);
  const lastFrames = new Int32Array(tokens).fill(-1);
  const logProbs = new Float32Array(tokens).fill(Number.NEGATIVE_INFINITY);
  for (let frame = frames - 1; frame >= 0; frame--) {
    if (state % 2 === 1) {
      const token = (state - 1) >> 1;
      firstFrames[token] = frame;
      if (lastFrames[token] === -1) lastFrames[token] = frame;
      logProbs[token] = Math.max(logProbs[token], emissions[token * frames + frame]);
    }
    state -= stepsBack[frame * states + state];
  }
  return { firstFrames, lastFrames, logProbs, score };
}

/** Natural-log probability of a frame's best label. */
function bestOf({ k, blankLogProbs, logProbs }: CtcLattice, frame: number): number {
  let best = blankLogProbs[frame];
  for (let cell = frame * k; cell < (frame + 1) * k; cell++) best = Math.max(best, logProbs[cell]);
  return best;
}

/** Between two different tokens the blank may be left out. */
function maySkip(tokenIds: ArrayLike<number>, state: number): boolean {
  return state % 2 === 1 && state > 1 && tokenIds[(state - 1) >> 1] !== tokenIds[(state - 3) >> 1];
}

/** Natural-log probability of each token in each frame, `[tokens, frames]`. */
function emissionsOf({ frames, k, ...lattice }: CtcLattice, tokenIds: ArrayLike<number>): Float32Array {
  const places = new Map<number, number[]>();
  for (let token = 0; token < tokenIds.length; token++) {
    const tokenId = tokenIds[token];
    const known = places.get(tokenId);
    if (known === undefined) places.set(tokenId, [token]);
    else known.push(token);
  }
  const emissions = new Float32Array(tokenIds.length * frames).fill(Number.NEGATIVE_INFINITY);
  for (let cell = 0; cell < frames * k; cell++) {
    const tokenId = lattice.tokenIds[cell];
    const logProb = lattice.logProbs[cell];
    // Candidates that were ruled out may hold any id, also one that is possible in the same frame.
    if (tokenId === lattice.blankId || logProb === Number.NEGATIVE_INFINITY) continue;
    for (const token of places.get(tokenId) ?? []) emissions[token * frames + Math.floor(cell / k)] = logProb;
  }
  return emissions;
}
