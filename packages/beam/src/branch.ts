import type { Hypothesis, NodeId, RowOutput, RowStart } from '@foretoken/core';

/** A hypothesis that still grows: a leaf of its row's token tree, and the token below it that is not a node yet. */
export interface Branch {
  /** Node its `next` tokens go below. */
  readonly parent: NodeId;
  /** Tokens to add before anything can follow: the prefix at first, then the token chosen last. */
  readonly next: Int32Array;
  /** Output tokens, those of `next` included. */
  readonly output: readonly number[];
  /** Sum of natural-log probabilities of the output, forced tokens not counted. */
  readonly logProb: number;
}

/** The branch a row starts with: what is still to be read of its prefix, then what its output was made to begin with. */
export function rootBranch({ prefix, cached, node }: RowStart, forced: readonly number[]): Branch {
  return { parent: node, next: Int32Array.of(...prefix.subarray(cached), ...forced), output: forced, logProb: 0 };
}

/** The branch one token further, below the node that `branch` has become. */
export function grow(branch: Branch, leaf: NodeId, tokenId: number, logProb: number): Branch {
  return { parent: leaf, next: Int32Array.of(tokenId), output: [...branch.output, tokenId], logProb };
}

/** Continuations of one branch, best first: natural-log probabilities of single tokens, after the rules. */
export interface Candidates {
  readonly tokenIds: Int32Array;
  readonly logProbs: Float32Array;
}

/** A branch after a forward: the node it has become, and what may follow it. */
export interface ScoredBranch {
  readonly branch: Branch;
  readonly leaf: NodeId;
  /** The best continuations, as many as the search asked for; fewer where the rules left fewer. */
  readonly candidates: Candidates;
  /** Every continuation, `[vocab]`; only where the search asked for all. */
  readonly logProbs?: Float32Array;
  /** Hidden states of the branch's new nodes, `[next.length, width]`; only where the search asked for them. */
  readonly states?: Float32Array;
}

/** The search of one row: what it wants scored next, and what it makes of the scores. */
export interface RowSearch {
  /** Branches to extend in the next forward; none when the search is over. */
  readonly running: readonly Branch[];
  /** Takes the scores of all running branches, in their order. */
  step(scored: readonly ScoredBranch[]): void;
  /** Output tokens that no later step can change. */
  settled(): readonly number[];
  /** The best output as things stand. */
  provisional(): readonly number[];
  /** Hypotheses, best first; at least one once the search is over. Throws `UNSATISFIABLE_CONSTRAINT`. */
  hypotheses(): readonly Hypothesis[];
}

/** Longest beginning that all outputs share. */
export function commonPrefix(outputs: readonly (readonly number[])[]): readonly number[] {
  const [first = [], ...others] = outputs;
  let length = first.length;
  for (const other of others) {
    let same = 0;
    while (same < length && same < other.length && other[same] === first[same]) same++;
    length = same;
  }
  return first.slice(0, length);
}

/** The search of a row whose output is over with what the request made it begin with. */
export class SearchOver implements RowSearch {
  readonly running: readonly Branch[] = [];
  readonly #output: RowOutput;

  constructor(output: RowOutput) {
    this.#output = output;
  }

  step(): void {}

  settled(): readonly number[] {
    return this.#output.tokens;
  }

  provisional(): readonly number[] {
    return this.#output.tokens;
  }

  hypotheses(): readonly Hypothesis[] {
    return [{ ...this.#output.hypothesis(0), logProb: 0 }];
  }
}
