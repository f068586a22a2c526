import type { CanvasCandidates, CanvasProposal } from '@foretoken/core/kit';

/**
 * Candidates a position that make the search exact over the whole vocabulary: two neighbours rule out two tokens at most,
 * so the best output never needs a position's fourth choice.
 */
export const NO_REPEAT_CANDIDATES = 3;

export interface NoRepeatOptions {
  /** Token before the first position, such as the last one of a given prefix; default: none. */
  readonly before?: number | undefined;
  /** A token that is never chosen: the mask. */
  readonly forbidden: number;
  /** A token that may follow itself: the end token, after which nothing is read. */
  readonly mayRepeat: number | undefined;
}

/**
 * The most probable tokens of a canvas of which no two neighbours are equal, by Viterbi's dynamic programme over the
 * candidates of each position; `undefined` where there are none. Among equals the better candidate of the earlier position.
 *
 * It is the decoding of a linear-chain conditional random field (Sun et al., 2019, "Fast structured decoding for sequence
 * models", section 3) whose only transition score forbids a token to follow itself.
 */
export function withoutRepeats(
  { tokenIds, logProbs, k }: CanvasCandidates,
  { before = -1, forbidden, mayRepeat }: NoRepeatOptions,
): CanvasProposal | undefined {
  const length = tokenIds.length / k;
  /** Entries of the position before, their summed log-probabilities, and the entry each came from, `[length, k]`. */
  let reached: readonly number[] = [];
  const sums = new Float64Array(length * k).fill(Number.NEGATIVE_INFINITY);
  const from = new Int32Array(length * k).fill(-1);
  for (let position = 0; position < length; position++) {
    const here: number[] = [];
    for (let entry = position * k; entry < (position + 1) * k; entry++) {
      const tokenId = tokenIds[entry];
      const logProb = logProbs[entry];
      if (tokenId === forbidden || logProb === Number.NEGATIVE_INFINITY) continue;
      const follows = (last: number): boolean => last !== tokenId || tokenId === mayRepeat;
      if (position === 0) {
        if (!follows(before)) continue;
        sums[entry] = logProb;
      } else {
        const best = bestEntry(
          reached.filter((earlier) => follows(tokenIds[earlier])),
          sums,
        );
        if (best === undefined) continue;
        sums[entry] = sums[best] + logProb;
        from[entry] = best;
      }
      here.push(entry);
    }
    reached = here;
  }
  const last = bestEntry(reached, sums);
  if (last === undefined) return undefined;
  const path = new Int32Array(length);
  for (let position = length - 1, entry = last; position >= 0; position--) {
    path[position] = entry;
    entry = from[entry];
  }
  return {
    tokenIds: path.map((entry) => tokenIds[entry]),
    logProbs: Float32Array.from(path, (entry) => logProbs[entry]),
  };
}

/** The first of the entries with the highest sum. */
function bestEntry(entries: readonly number[], sums: Float64Array): number | undefined {
  let best = entries[0];
  for (const entry of entries) if (sums[entry] > sums[best]) best = entry;
  return best;
}
