import { type DecodeRequest, type FinishReason, type Hypothesis, stopReason } from '@foretoken/core';
import { type Branch, grow, type RowSearch, type ScoredBranch } from './branch.js';

export interface ContrastiveSettings {
  /** Candidates weighed at each step (the paper's k). */
  readonly candidates: number;
  /** Weight of the degeneration penalty (the paper's alpha). */
  readonly penalty: number;
  readonly endTokenId: number;
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
  readonly #limit: number;
  readonly #stops: DecodeRequest<unknown>;
  #chosen: Branch;
  #started = false;
  #finishReason: FinishReason | undefined;

  constructor(root: Branch, limit: number, settings: ContrastiveSettings, request: DecodeRequest<unknown>) {
    this.running = [root];
    this.#chosen = root;
    this.#settings = settings;
    this.#limit = limit;
    this.#stops = request;
  }

  step(scored: readonly ScoredBranch[]): void {
    const states = scored.map(statesOf);
    const chosen = this.#started ? this.#choose(states) : 0;
    const { branch, leaf, candidates } = scored[chosen] as ScoredBranch;
    this.#states.push(...(states[chosen] as readonly Float32Array[]));
    this.#finishReason = this.#started ? this.#over(branch) : undefined;
    this.#started = true;
    this.#chosen = branch;
    if (this.#finishReason !== undefined) {
      this.running = [];
      return;
    }
    this.#probabilities = Array.from(candidates.logProbs, Math.exp);
    this.running = Array.from(candidates.tokenIds, (tokenId, rank) =>
      grow(branch, leaf, tokenId, branch.logProb + (candidates.logProbs[rank] as number)),
    );
  }

  settled(): readonly number[] {
    return this.#output();
  }

  provisional(): readonly number[] {
    return this.#output();
  }

  hypotheses(): readonly Hypothesis[] {
    const { logProb } = this.#chosen;
    const finishReason = this.#finishReason ?? 'length';
    return [{ tokenIds: Int32Array.from(this.#output()), score: logProb, finishReason }];
  }

  /** The candidate with the best balance; the more probable one among equals. */
  #choose(states: readonly (readonly Float32Array[])[]): number {
    const { penalty } = this.#settings;
    let best = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (const [index, probability] of this.#probabilities.entries()) {
      const [own] = states[index] as readonly [Float32Array];
      const likeness = this.#states.reduce((highest, other) => Math.max(highest, dot(own, other)), -1);
      const balance = (1 - penalty) * probability - penalty * likeness;
      if (balance > most) {
        most = balance;
        best = index;
      }
    }
    return best;
  }

  #over({ output, next }: Branch): FinishReason | undefined {
    if (next[0] === this.#settings.endTokenId) return 'end-token';
    return stopReason(output, this.#limit, this.#stops);
  }

  /** What stands, without the end token. */
  #output(): readonly number[] {
    const { output } = this.#chosen;
    return this.#finishReason === 'end-token' ? output.slice(0, -1) : output;
  }
}

function statesOf({ branch, states = new Float32Array() }: ScoredBranch): Float32Array[] {
  const width = states.length / branch.next.length;
  return Array.from(branch.next, (_, node) => {
    const state = states.slice(node * width, (node + 1) * width);
    const length = Math.sqrt(dot(state, state));
    return length === 0 ? state : state.map((value) => value / length);
  });
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += (a[index] as number) * (b[index] as number);
  return sum;
}
