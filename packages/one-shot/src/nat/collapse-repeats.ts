import type { CanvasProposal } from '@foretoken/core/kit';

/**
 * Leaves one token of each run of equal ones, with the highest log-probability of the run, as CTC's collapse does without a
 * blank to keep runs apart: wanted repeats are lost too. The first `given` tokens all stay.
 */
export function collapseRepeats({ tokenIds, logProbs }: CanvasProposal, given = 0): CanvasProposal {
  const kept: number[] = [];
  const keptLogProbs: number[] = [];
  for (const [position, tokenId] of tokenIds.entries()) {
    const logProb = logProbs[position];
    const last = kept.length - 1;
    if (position < given || kept[last] !== tokenId) {
      kept.push(tokenId);
      keptLogProbs.push(logProb);
    } else if (logProb > keptLogProbs[last]) {
      keptLogProbs[last] = logProb;
    }
  }
  return { tokenIds: Int32Array.from(kept), logProbs: Float32Array.from(keptLogProbs) };
}
