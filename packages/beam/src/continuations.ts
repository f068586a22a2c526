import type { FinishReason } from '@foretoken/core';
import type { OutputBounds } from '@foretoken/core/kit';
import { BestItems } from './best-items.js';
import type { Branch, ScoredBranch, Steps, Trail } from './branch.js';

/** One continuation among those of all branches. */
export interface Continuation {
  readonly from: ScoredBranch;
  readonly tokenId: number;
  /** Of the whole hypothesis. */
  readonly logProb: number;
  /** What it is chosen by: the log-probability, less what the search holds against the token. */
  readonly priority: number;
}

/** What a hypothesis is with one more token. */
export interface Continued {
  /** Why it is over, or undefined where it runs on. */
  readonly finishReason: FinishReason | undefined;
  /** What the model alone says of its tokens, the end token's last, where that is to be reported. */
  readonly trail: Trail | undefined;
  /** Its branch, without the end token; made only where it is kept, so that nothing is copied for the others. */
  branch(): Branch;
}

/**
 * Continuations of all branches, best first; ties go to the earlier branch, then to the lower token id. `against` is what
 * to hold against a token. Yields after each branch.
 */
export function* bestContinuations(
  scored: readonly ScoredBranch[],
  count: number,
  against: (tokenId: number) => number = () => 0,
): Steps<readonly Continuation[]> {
  const best = new BestItems<Continuation>(count, ({ priority }) => priority);
  for (const from of scored) {
    const { tokenIds, logProbs } = from.candidates;
    for (let rank = 0; rank < tokenIds.length; rank++) {
      const tokenId = tokenIds[rank];
      const continuation = continuationOf(from, tokenId, logProbs[rank], against(tokenId));
      // Candidates come in order of branch and rank.
      if (continuation !== undefined) best.add(continuation);
    }
    yield;
  }
  return best.best();
}

/** Every continuation of a branch, `[vocab]`; nothing where the search did not ask for all. */
export const allLogProbs = ({ logProbs = new Float32Array() }: ScoredBranch): Float32Array => logProbs;

/** A branch with one more token; `undefined` where that is impossible. */
export function continuationOf(
  from: ScoredBranch,
  tokenId: number,
  step: number,
  against = 0,
): Continuation | undefined {
  // Single precision, as the tensors of other implementations add up.
  const logProb = Math.fround(from.branch.logProb + step);
  if (logProb === Number.NEGATIVE_INFINITY) return undefined;
  return { from, tokenId, logProb, priority: logProb - against };
}

/** Tells whether a hypothesis is over with a continuation. */
export function continued({ from, tokenId, logProb }: Continuation, bounds: OutputBounds): Continued {
  const { branch, leaf, modelLogProb } = from;
  const trail = modelLogProb && { logProb: modelLogProb(tokenId), before: branch.trail };
  if (tokenId === bounds.endTokenId) return { finishReason: 'end-token', trail, branch: () => branch };
  const progress = bounds.push(branch.progress, tokenId);
  return {
    finishReason: bounds.reason(branch.length + 1, progress),
    trail,
    branch: () => branch.grow(leaf, tokenId, logProb, progress, trail),
  };
}
