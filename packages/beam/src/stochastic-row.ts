import type { FinishReason, Hypothesis } from '@foretoken/core';
import { logSumExp, noTokenLeft, type OutputBounds, type RandomStream, topK } from '@foretoken/core/kit';
import { BestItems } from './best-items.js';
import {
  type Branch,
  logProbsOf,
  type RowSearch,
  type ScoredBranch,
  type SearchStart,
  type Steps,
  type Trail,
} from './branch.js';
import { allLogProbs, continued } from './continuations.js';

/** A hypothesis with its perturbed log-probability. */
interface Perturbed {
  /** Its output, without the end token. */
  readonly branch: Branch;
  readonly logProb: number;
  /** Gumbel noise added to the log-probability, under the maximum that its parent fixed. */
  readonly perturbed: number;
  /** Why it is over; undefined while it runs. */
  readonly finishReason: FinishReason | undefined;
  /** What the model alone says of its tokens, the end token's last, where that is to be reported. */
  readonly trail?: Trail | undefined;
}

/** A continuation whose branch is made only if it is kept. */
interface Child extends Omit<Perturbed, 'branch'> {
  branch(): Branch;
}

/**
 * Stochastic beam search of one row: each step keeps the `beamSize` hypotheses of highest perturbed log-probability, where
 * a parent's perturbed value is the maximum of its children's, so that the result is a sample of sequences without
 * replacement (Kool et al., 2019, section 4.1, algorithm 1).
 */
export class StochasticRow implements RowSearch {
  #beam: readonly Perturbed[];
  #started = false;
  readonly #beamSize: number;
  readonly #bounds: OutputBounds;
  readonly #stream: RandomStream;

  constructor({ root, bounds }: SearchStart, beamSize: number, stream: RandomStream) {
    this.#beam = [{ branch: root, logProb: 0, perturbed: 0, finishReason: undefined }];
    this.#beamSize = beamSize;
    this.#bounds = bounds;
    this.#stream = stream;
  }

  get running(): readonly Branch[] {
    return this.#beam.filter(isRunning).map(({ branch }) => branch);
  }

  *step(scored: readonly ScoredBranch[]): Steps {
    const open = this.#beam.filter(isRunning);
    const best = new BestItems<Child>(this.#beamSize, ({ perturbed }) => perturbed);
    for (const one of this.#beam) if (!isRunning(one)) best.add({ ...one, branch: () => one.branch });
    for (const [index, one] of scored.entries()) {
      this.#addChildren(best, one, open[index], index);
      yield;
    }
    this.#started = true;
    this.#beam = best.best().map((one): Perturbed => ({ ...one, branch: one.branch() }));
    if (this.#beam.length === 0) {
      const { row = 0, length = 0 } = scored[0]?.branch ?? {};
      throw noTokenLeft(row, length);
    }
  }

  standing(): readonly Branch[] {
    // The best hypothesis is known only at the end: it is the one with the highest perturbed value.
    return this.#beam.map(({ branch }) => branch);
  }

  provisional(): Branch {
    return this.#beam[0].branch;
  }

  hypotheses(): readonly Hypothesis[] {
    return this.#beam.map(({ branch, logProb, perturbed, finishReason = 'length', trail }) => ({
      tokenIds: branch.tokenIds(),
      score: perturbed,
      logProb,
      tokenLogProbs: trail && logProbsOf(trail),
      finishReason,
    }));
  }

  /** Adds the best children of a branch by perturbed log-probability, as many as the beam could hold. */
  #addChildren(best: BestItems<Child>, from: ScoredBranch, parent: Perturbed, index: number): void {
    const { branch } = from;
    const all = allLogProbs(from);
    // Rules may have taken mass away; what is left is the distribution that is sampled.
    const normaliser = logSumExp(all);
    if (normaliser === Number.NEGATIVE_INFINITY) return;
    const noise = this.#stream.uniforms(branch.length, index, all.length);
    const totals = Float64Array.from(all, (logProb) => branch.logProb + logProb - normaliser);
    const perturbed = totals.map((total, tokenId) => total - Math.log(-Math.log(noise[tokenId] || Number.MIN_VALUE)));
    const max = perturbed.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const conditioned = perturbed.map((value) => belowMaximum(value, max, parent.perturbed, !this.#started));
    for (const tokenId of topK(conditioned, this.#beamSize)) {
      // Best first, so no later one is better.
      if (!best.admits(conditioned[tokenId])) break;
      const logProb = totals[tokenId];
      const next = continued({ from, tokenId, logProb, priority: logProb }, this.#bounds);
      best.add({ ...next, logProb, perturbed: conditioned[tokenId] });
    }
  }
}

function isRunning({ finishReason }: Perturbed): boolean {
  return finishReason === undefined;
}

/**
 * Moves Gumbel values, whose maximum is `most`, so that their maximum becomes `wanted`: the truncated Gumbel of the paper's
 * appendix B.3, in its numerically stable form. The root's value is free.
 */
function belowMaximum(value: number, max: number, wanted: number, root: boolean): number {
  if (root) return value;
  if (value === Number.NEGATIVE_INFINITY) return value;
  const v = wanted - value + Math.log1p(-Math.exp(value - max));
  return wanted - Math.max(0, v) - Math.log1p(Math.exp(-Math.abs(v)));
}
