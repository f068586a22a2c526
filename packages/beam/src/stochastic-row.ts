import {
  type DecodeRequest,
  type Hypothesis,
  logSumExp,
  noTokenLeft,
  type RandomStream,
  stopReason,
  topK,
} from '@foretoken/core';
import type { Finished } from './beam-row.js';
import { type Branch, commonPrefix, grow, type RowSearch, type ScoredBranch } from './branch.js';

/** A branch or a finished hypothesis with its perturbed log-probability. */
interface Perturbed {
  readonly output: readonly number[];
  readonly logProb: number;
  /** Gumbel noise added to the log-probability, under the maximum that its parent fixed. */
  readonly perturbed: number;
  readonly branch?: Branch;
  readonly finishReason?: Finished['finishReason'];
}

/**
 * Stochastic beam search of one row: each step keeps the `beamSize` hypotheses of highest perturbed log-probability, where
 * a parent's perturbed value is the maximum of its children's, so that the result is a sample of sequences without
 * replacement (Kool et al., 2019, section 4.1, algorithm 1).
 */
export class StochasticRow implements RowSearch {
  #beam: readonly Perturbed[];
  #started = false;
  readonly #row: number;
  readonly #beamSize: number;
  readonly #endTokenId: number;
  readonly #limit: number;
  readonly #stream: RandomStream;
  readonly #stops: DecodeRequest<unknown>;

  constructor(
    row: number,
    root: Branch,
    limit: number,
    settings: { readonly beamSize: number; readonly endTokenId: number },
    stream: RandomStream,
    request: DecodeRequest<unknown>,
  ) {
    this.#beam = [{ output: root.output, logProb: 0, perturbed: 0, branch: root }];
    this.#row = row;
    this.#beamSize = settings.beamSize;
    this.#endTokenId = settings.endTokenId;
    this.#limit = limit;
    this.#stream = stream;
    this.#stops = request;
  }

  get running(): readonly Branch[] {
    return this.#beam.flatMap(({ branch }) => (branch === undefined ? [] : [branch]));
  }

  step(scored: readonly ScoredBranch[]): void {
    const open = this.#beam.filter(({ branch }) => branch !== undefined);
    const over = this.#beam.filter(({ branch }) => branch === undefined);
    const children = scored.flatMap((one, index) => this.#children(one, open[index] as Perturbed, index));
    this.#started = true;
    this.#beam = [...over, ...children].sort((a, b) => b.perturbed - a.perturbed).slice(0, this.#beamSize);
    if (this.#beam.length === 0) throw noTokenLeft(this.#row, scored[0]?.branch.output.length ?? 0);
  }

  settled(): readonly number[] {
    // The best hypothesis is known only at the end: it is the one with the highest perturbed value.
    return commonPrefix(this.#beam.map(({ output }) => output));
  }

  provisional(): readonly number[] {
    return this.#beam[0]?.output ?? [];
  }

  hypotheses(): readonly Hypothesis[] {
    return this.#beam.map(({ output, logProb, perturbed, finishReason = 'length' }) => ({
      tokenIds: Int32Array.from(output),
      score: perturbed,
      logProb,
      finishReason,
    }));
  }

  /** The best children of a branch by perturbed log-probability, as many as the beam could hold. */
  #children({ branch, leaf, logProbs }: ScoredBranch, parent: Perturbed, index: number): Perturbed[] {
    const all = logProbs as Float32Array;
    // Rules may have taken mass away; what is left is the distribution that is sampled.
    const normaliser = logSumExp(all);
    const noise = this.#stream.uniforms(branch.output.length, index, all.length);
    const totals = Float64Array.from(all, (logProb) => branch.logProb + logProb - normaliser);
    const perturbed = totals.map((total, tokenId) => total - Math.log(-Math.log(noise[tokenId] || Number.MIN_VALUE)));
    const most = perturbed.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const conditioned = perturbed.map((value) => belowMaximum(value, most, parent.perturbed, !this.#started));
    return Array.from(topK(conditioned, this.#beamSize), (tokenId): Perturbed => {
      const logProb = totals[tokenId] as number;
      const value = conditioned[tokenId] as number;
      const { output } = branch;
      if (tokenId === this.#endTokenId) return { output, logProb, perturbed: value, finishReason: 'end-token' };
      const grown = [...output, tokenId];
      const finishReason = stopReason(grown, this.#limit, this.#stops);
      return finishReason === undefined
        ? { output: grown, logProb, perturbed: value, branch: grow(branch, leaf, tokenId, logProb) }
        : { output: grown, logProb, perturbed: value, finishReason };
    });
  }
}

/**
 * Moves Gumbel values, whose maximum is `most`, so that their maximum becomes `wanted`: the truncated Gumbel of the paper's
 * appendix B.3, in its numerically stable form. The root's value is free.
 */
function belowMaximum(value: number, most: number, wanted: number, root: boolean): number {
  if (root) return value;
  if (value === Number.NEGATIVE_INFINITY) return value;
  const v = wanted - value + Math.log1p(-Math.exp(value - most));
  return wanted - Math.max(0, v) - Math.log1p(Math.exp(-Math.abs(v)));
}
