import type { FinishReason, Hypothesis } from '@foretoken/core';
import { append, invalidScores, noTokenLeft, type OutputBounds } from '@foretoken/core/kit';
import type { Branch, RowSearch, ScoredBranch, SearchStart, Steps } from './branch.js';

export interface ContrastiveSettings {
  /** Weight of the degeneration penalty (the paper's alpha). */
  readonly penalty: number;
}

/**
 * Contrastive search of one row: the candidates for the next token are fed to the model, and the one is taken that is
 * probable and whose hidden state is unlike those before it (Su et al., 2022, section 3.2, equation 5).
 */
export class ContrastiveRow implements RowSearch {
  running: readonly Branch[];
  /** Probability of each running candidate given what stands before it. */
  #probabilities: readonly number[] = [1];
  /** Hidden states of what stands, normalised to length 1. */
  readonly #states: Float32Array[] = [];
  readonly #penalty: number;
  readonly #bounds: OutputBounds;
  /** What stands, without the end token. */
  #stands: Branch;
  /** Its log-probability, the end token's included. */
  #logProb = 0;
  #started = false;
  #finishReason: FinishReason | undefined;

  constructor({ root, bounds }: SearchStart, { penalty }: ContrastiveSettings) {
    this.running = [root];
    this.#stands = root;
    this.#penalty = penalty;
    this.#bounds = bounds;
  }

  *step(scored: readonly ScoredBranch[]): Steps {
    const states = scored.map(statesOf);
    const chosen = this.#started ? yield* this.#choose(states) : 0;
    const { branch, leaf, candidates } = scored[chosen];
    append(this.#states, states[chosen] as readonly Float32Array[]);
    this.#logProb = branch.logProb;
    const [last] = branch.next;
    if (this.#started && last !== undefined && last === this.#bounds.endTokenId) this.#finishReason = 'end-token';
    else this.#stands = branch;
    if (this.#started) this.#finishReason ??= this.#bounds.reason(branch.length, branch.progress);
    this.#started = true;
    if (this.#finishReason !== undefined) {
      this.running = [];
      return;
    }
    const { tokenIds, logProbs } = candidates;
    if (tokenIds.length === 0) throw noTokenLeft(branch.row, branch.length);
    this.#probabilities = Array.from(logProbs, Math.exp);
    this.running = Array.from(tokenIds, (tokenId, rank) => {
      const ends = tokenId === this.#bounds.endTokenId;
      const progress = ends ? branch.progress : this.#bounds.push(branch.progress, tokenId);
      return branch.grow(leaf, tokenId, branch.logProb + logProbs[rank], progress);
    });
  }

  standing(): readonly Branch[] {
    return [this.#stands];
  }

  provisional(): Branch {
    return this.#stands;
  }

  hypotheses(): readonly Hypothesis[] {
    const finishReason = this.#finishReason ?? 'length';
    return [{ tokenIds: this.#stands.tokenIds(), score: this.#logProb, finishReason }];
  }

  /** The candidate with the best balance; the more probable one among equals. */
  *#choose(states: readonly (readonly Float32Array[])[]): Steps<number> {
    const penalty = this.#penalty;
    let best = 0;
    let max = Number.NEGATIVE_INFINITY;
    for (const [index, probability] of this.#probabilities.entries()) {
      const [own] = states[index] as readonly [Float32Array];
      const likeness = this.#states.reduce((highest, other) => Math.max(highest, dot(own, other)), -1);
      const balance = (1 - penalty) * probability - penalty * likeness;
      if (balance > max) {
        max = balance;
        best = index;
      }
      yield;
    }
    return best;
  }
}

function statesOf({ branch, states = new Float32Array() }: ScoredBranch): Float32Array[] {
  const width = states.length / branch.next.length;
  return Array.from(branch.next, (_, node) => {
    const state = states.slice(node * width, (node + 1) * width);
    const length = Math.sqrt(dot(state, state));
    // Hidden states of a model with damaged weights.
    if (!Number.isFinite(length)) {
      throw invalidScores(branch.row, branch.length, state.find((value) => !Number.isFinite(value)) ?? length);
    }
    return length === 0 ? state : state.map((value) => value / length);
  });
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += a[index] * b[index];
  return sum;
}
