import type { FinishReason, Hypothesis } from '@foretoken/core';
import { append, invalidScores, noTokenLeft, type OutputBounds } from '@foretoken/core/kit';
import {
  type Branch,
  type Candidates,
  logProbsOf,
  type RowSearch,
  type ScoredBranch,
  type SearchStart,
  type Steps,
  type Trail,
} from './branch.js';

export interface ContrastiveSettings {
  /** Most tokens weighed at each step (the paper's k). */
  readonly candidates: number;
  /** Weight of the degeneration penalty (the paper's alpha). */
  readonly penalty: number;
  /** Report what the model alone says of each token. */
  readonly tokenLogProbs: boolean;
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
  readonly #settings: ContrastiveSettings;
  readonly #bounds: OutputBounds;
  /** What stands, without the end token. */
  #stands: Branch;
  /** Its log-probability, the end token's included. */
  #logProb = 0;
  /** The log-probability of each of its tokens, the end token's last, where that is to be reported. */
  #trail: Trail | undefined;
  #started = false;
  #finishReason: FinishReason | undefined;

  constructor({ root, bounds }: Pick<SearchStart, 'root' | 'bounds'>, settings: ContrastiveSettings) {
    this.running = [root];
    this.#stands = root;
    this.#settings = settings;
    this.#bounds = bounds;
  }

  *step(scored: readonly ScoredBranch[]): Steps {
    const states = scored.map(statesOf);
    const chosen = this.#started ? yield* this.#choose(states) : 0;
    const { branch, leaf, candidates } = scored[chosen];
    const { tokenLogProbs } = this.#settings;
    append(this.#states, states[chosen]);
    this.#logProb = branch.logProb;
    this.#trail = branch.trail;
    const [last] = branch.next;
    if (this.#started && last !== undefined && last === this.#bounds.endTokenId) this.#finishReason = 'end-token';
    else this.#stands = branch;
    if (this.#started) this.#finishReason ??= this.#bounds.reason(branch.length, branch.progress);
    this.#started = true;
    if (this.#finishReason !== undefined) {
      this.running = [];
      return;
    }
    const { tokenIds, logProbs } = this.#allowed(branch, candidates);
    if (tokenIds.length === 0) throw noTokenLeft(branch.row, branch.length);
    this.#probabilities = Array.from(logProbs, Math.exp);
    this.running = Array.from(tokenIds, (tokenId, rank) => {
      const ends = tokenId === this.#bounds.endTokenId;
      const progress = ends ? branch.progress : this.#bounds.push(branch.progress, tokenId);
      const logProb = logProbs[rank];
      const trail = tokenLogProbs ? { logProb, before: branch.trail } : undefined;
      return branch.grow(leaf, tokenId, branch.logProb + logProb, progress, trail);
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
    const tokenLogProbs = this.#settings.tokenLogProbs ? logProbsOf(this.#trail) : undefined;
    return [{ tokenIds: this.#stands.tokenIds(), score: this.#logProb, tokenLogProbs, finishReason }];
  }

  /** The best candidates of a branch, as many as are weighed: without the end token while its output is too short to end. */
  #allowed({ length }: Branch, { tokenIds, logProbs }: Candidates): Candidates {
    const { endTokenId, min } = this.#bounds;
    const end = length < min && endTokenId !== undefined ? tokenIds.indexOf(endTokenId) : -1;
    const others = (_: number, rank: number): boolean => rank !== end;
    const { candidates } = this.#settings;
    return {
      tokenIds: tokenIds.filter(others).subarray(0, candidates),
      logProbs: logProbs.filter(others).subarray(0, candidates),
    };
  }

  /** The candidate with the best balance; the more probable one among equals. */
  *#choose(states: readonly (readonly Float32Array[])[]): Steps<number> {
    const { penalty } = this.#settings;
    let best = 0;
    let max = Number.NEGATIVE_INFINITY;
    for (const [index, probability] of this.#probabilities.entries()) {
      const [own] = states[index];
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
