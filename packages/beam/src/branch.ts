import type { Hypothesis, NodeId, RowStart, ScoringContext } from '@foretoken/core';
import type { OutputBounds, RowOutput, StopProgress } from '@foretoken/core/kit';
import { joinTokens } from '@foretoken/core/kit';

/**
 * A hypothesis of a search: a leaf of its row's token tree, and the tokens below it that are not nodes yet. Immutable as far
 * as can be seen: the array of its output is handed on to the first branch that grows out of it, others copy theirs.
 */
export class Branch implements ScoringContext {
  readonly row: number;
  readonly prefix: Int32Array;
  /** Node its `next` tokens go below. */
  readonly parent: NodeId;
  /** Tokens to add before anything can follow: the prefix at first, then the token chosen last. */
  readonly next: Int32Array;
  /** Output tokens, those of `next` included. */
  readonly length: number;
  /** Sum of natural-log probabilities of the output, given tokens not counted. */
  readonly logProb: number;
  /** How far its output has come towards the stop conditions. */
  readonly progress: StopProgress;
  /** What the model alone says of each of its tokens, where that is to be reported. */
  readonly trail: Trail | undefined;
  /** Its output, and what grew out of it after that. */
  readonly #tokens: number[];
  #grownFrom: Branch | undefined;

  private constructor(
    from: { readonly row: number; readonly prefix: Int32Array },
    place: Pick<Branch, 'parent' | 'next' | 'logProb' | 'progress' | 'trail'>,
    tokens: number[],
    grownFrom?: Branch,
  ) {
    this.row = from.row;
    this.prefix = from.prefix;
    this.parent = place.parent;
    this.next = place.next;
    this.logProb = place.logProb;
    this.progress = place.progress;
    this.trail = place.trail;
    this.length = tokens.length;
    this.#tokens = tokens;
    this.#grownFrom = grownFrom;
  }

  /** The branch a row starts with: what is still to be read of its prefix, then what its output was made to begin with. */
  static root(row: number, { prefix, cached, node }: RowStart, { tokens, progress }: RowOutput): Branch {
    const next = joinTokens(prefix.subarray(cached), tokens);
    return new Branch({ row, prefix }, { parent: node, next, logProb: 0, progress, trail: undefined }, [...tokens]);
  }

  /** The branch one token further, below the node that this one has become. */
  grow(leaf: NodeId, tokenId: number, logProb: number, progress: StopProgress, trail?: Trail): Branch {
    const tokens = this.#tokens.length === this.length ? this.#tokens : this.#tokens.slice(0, this.length);
    tokens.push(tokenId);
    // One generation back is enough to carry on what rules remember.
    this.#grownFrom = undefined;
    return new Branch(this, { parent: leaf, next: Int32Array.of(tokenId), logProb, progress, trail }, tokens, this);
  }

  get output(): readonly number[] {
    return this.#tokens.length === this.length ? this.#tokens : this.#tokens.slice(0, this.length);
  }

  get grownFrom(): ScoringContext | undefined {
    return this.#grownFrom;
  }

  /** The output token at a position. */
  at(position: number): number {
    return this.#tokens[position];
  }

  /** A copy of the output from position `from` on. */
  tokenIds(from = 0, to: number = this.length): Int32Array {
    return Int32Array.from({ length: to - from }, (_, index) => this.at(from + index));
  }
}

/** The natural-log probability of a token under the model alone, and of those before it. */
export interface Trail {
  readonly logProb: number;
  readonly before: Trail | undefined;
}

/** The log-probabilities of a trail, the first token's first. */
export function logProbsOf(trail: Trail | undefined): Float32Array {
  const logProbs: number[] = [];
  for (let at = trail; at !== undefined; at = at.before) logProbs.push(at.logProb);
  return Float32Array.from(logProbs.reverse());
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
  /** The best continuations, as many as the search asked for; fewer where fewer are possible. */
  readonly candidates: Candidates;
  /** Every continuation, `[vocab]`; only where the search asked for all. */
  readonly logProbs?: Float32Array | undefined;
  /** Natural-log probability of a candidate under the model alone, before the rules; only where it is to be reported. */
  readonly modelLogProb?: ((tokenId: number) => number) | undefined;
  /** Hidden states of the branch's new nodes, `[next.length, width]`; only where the search asked for them. */
  readonly states?: Float32Array | undefined;
}

/** A computation that yields after each of its steps, so that other work may have a turn. */
export type Steps<Result = void> = Generator<void, Result, undefined>;

/** The search of one row: what it wants scored next, and what it makes of the scores. */
export interface RowSearch {
  /** Branches to extend in the next forward; none when the search is over. */
  readonly running: readonly Branch[];
  /** Takes the scores of all running branches, in their order. Throws `UNSATISFIABLE_CONSTRAINT`. */
  step(scored: readonly ScoredBranch[]): Steps;
  /** Outputs that may still be, or be the beginning of, the best one, at least one: what all share is settled. */
  standing(): readonly Branch[];
  /** The best output as things stand. */
  provisional(): Branch;
  /** Hypotheses, best first; at least one once the search is over. */
  hypotheses(): readonly Hypothesis[];
}

/** How many tokens all outputs begin with, of which the first `known` are known to be shared. */
export function sharedLength([first, ...others]: readonly Branch[], known: number): number {
  let length = first?.length ?? 0;
  for (const other of others) {
    let same = known;
    while (same < length && same < other.length && other.at(same) === first?.at(same)) same++;
    length = same;
  }
  return length;
}

/** What a row's search starts from. */
export interface SearchStart {
  readonly root: Branch;
  /** What ends its outputs. */
  readonly bounds: OutputBounds;
  /** How many tokens of the root do not count as length; less than 0 where tokens before it do. */
  readonly given: number;
}

/** The search of a row whose output is over with what the request made it begin with. */
export class SearchOver implements RowSearch {
  readonly running: readonly Branch[] = [];
  readonly #root: Branch;
  readonly #output: RowOutput;
  readonly #tokenLogProbs: boolean;

  constructor(root: Branch, output: RowOutput, tokenLogProbs: boolean) {
    this.#root = root;
    this.#output = output;
    this.#tokenLogProbs = tokenLogProbs;
  }

  *step(): Steps {}

  standing(): readonly Branch[] {
    return [this.#root];
  }

  provisional(): Branch {
    return this.#root;
  }

  hypotheses(): readonly Hypothesis[] {
    const tokenLogProbs = this.#tokenLogProbs ? new Float32Array() : undefined;
    return [{ ...this.#output.hypothesis(0), logProb: 0, tokenLogProbs }];
  }
}
