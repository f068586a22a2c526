import type { DraftingCosts, DraftTree, ForwardCosts } from '@foretoken/core';
import { hasMethods, wrongValue } from '@foretoken/core/kit';
import { DraftRecord, UNKNOWN_ACCEPTANCE } from './draft-record.js';

/** Nodes of a draft that nobody has seen yet that are worth a thought; the next ones are hardly ever accepted. */
const LONGEST_GUESS = 64;
/**
 * A drafter is opened where a token is expected to take at most this share of a plain one: what is expected leaves out our own
 * work on drafts and trees, and that rows end raggedly.
 */
const OPENS_BELOW = 0.7;
/** Rounds without drafts, at most, before they are tried again. */
const LONGEST_PAUSE = 7;

/**
 * How much of a draft is verified. What verifying costs is a fact of target and machine, so the decoder decides it: drafters
 * only say how sure they are.
 *
 * One cap of width holds for all rows of a round, since a forward is as wide as its widest row. Where no draft can pay, as in
 * large batches, the round is a plain step. Without measured costs every draft is verified as it is.
 */
export class DraftPolicy {
  readonly #costs: ForwardCosts | undefined;
  readonly #drafting: DraftingCosts | undefined;
  readonly #maxNodes: number;
  /** Rounds in a row in which drafts were asked for and did not pay, and rounds still to go without asking. */
  #unpaid = 0;
  #pause = 0;
  /** Tokens that a forward brought a row so far, and nodes of its drafts. */
  #tokensPerForward = 2;
  #nodesPerForward = 0;
  readonly #record: DraftRecord;

  constructor(
    costs: ForwardCosts | undefined,
    drafting: DraftingCosts | undefined,
    maxNodes: number,
    record: DraftRecord = new DraftRecord(),
  ) {
    if (costs !== undefined && !hasMethods(costs, 'milliseconds')) {
      throw wrongValue('model.costs', costs, 'an object with the method milliseconds');
    }
    this.#costs = costs;
    this.#drafting = drafting;
    this.#maxNodes = maxNodes;
    this.#record = record;
  }

  /** Whether drafting for so many rows can pay for opening the drafter; called once a decode. */
  opens(rows: number): boolean {
    const opens = this.#paysToOpen(rows);
    this.#record.began(rows);
    return opens;
  }

  #paysToOpen(rows: number): boolean {
    if (this.#costs === undefined) return true;
    const { open = 0, propose = 0 } = this.#drafting ?? {};
    const enough = OPENS_BELOW * this.#cost(rows, 1);
    const opening = (open * rows) / this.#record.usualOutput;
    if (this.#expected(rows, this.#record.acceptance, propose) + opening < enough) {
      this.#record.opened();
      return true;
    }
    // What was seen of slow moments and of other texts is not true for ever, and what is never opened is never seen again.
    return this.#expected(rows, UNKNOWN_ACCEPTANCE, 0) < enough && this.#record.tries();
  }

  /** Milliseconds for a token of each row if drafts are accepted so often, and proposing takes so long. */
  #expected(rows: number, acceptance: number, propose: number): number {
    const gains = new Float64Array(Math.min(this.#maxNodes, LONGEST_GUESS));
    for (let node = 0; node < gains.length; node++) gains[node] = rows * acceptance ** (node + 1);
    return this.#best(gains, rows, propose).milliseconds;
  }

  /** Whether to ask for drafts in this round; called once a round. Drafts that did not pay are left alone for a while. */
  asks(): boolean {
    if (this.#pause === 0) return true;
    this.#pause--;
    return false;
  }

  /** The path probability below which no node of a draft can pay, for a round of so many rows. */
  minProbability(rows: number): number {
    if (this.#costs === undefined) return 0;
    const plain = this.#cost(rows, 1);
    const cheapest = (this.#cost(rows, 1 + this.#maxNodes) - plain) / this.#maxNodes;
    const usual = plain + this.#nodesPerForward * cheapest;
    // A node pays where what it adds to the tokens is more than what it adds to the time; half of that, since the first nodes
    // of a draft are cheaper than the mean.
    return Math.min(1, (0.5 * this.#tokensPerForward * cheapest) / usual);
  }

  /** The most nodes of any row's draft to verify, given the drafts of the round. */
  cap(drafts: readonly DraftTree[], rows: number): number {
    if (this.#costs === undefined) return this.#maxNodes;
    let longest = 0;
    for (const { tokenIds } of drafts) longest = Math.max(longest, tokenIds.length);
    const gains = new Float64Array(Math.min(this.#maxNodes, longest));
    for (const draft of drafts) {
      const paths = pathProbabilities(draft, this.#record.acceptance);
      for (let node = 0; node < Math.min(paths.length, gains.length); node++) gains[node] += paths[node];
    }
    const { width } = this.#best(gains, rows, this.#drafting?.propose ?? 0);
    this.#unpaid = width === 0 ? this.#unpaid + 1 : 0;
    this.#pause = width === 0 ? Math.min(2 ** (this.#unpaid - 1) - 1, LONGEST_PAUSE) : 0;
    return width;
  }

  /**
   * Learns from a round of so many rows: the widest draft, and of all rows the draft tokens whose parents were accepted, and those
   * of them that were accepted.
   */
  learn(rows: number, width: number, tried: number, accepted: number): void {
    this.#record.saw(tried, accepted, rows + accepted);
    this.#tokensPerForward += ((rows + accepted) / rows - this.#tokensPerForward) / 4;
    this.#nodesPerForward += (width - this.#nodesPerForward) / 4;
  }

  /** The width that brings most tokens for the time; `gains[i]` are the tokens that node i of all rows brings. */
  #best(
    gains: ArrayLike<number>,
    rows: number,
    propose: number,
  ): { readonly width: number; readonly milliseconds: number } {
    const proposing = propose * rows;
    let tokens = rows;
    let width = 0;
    let best = this.#cost(rows, 1) / rows;
    for (let nodes = 1; nodes <= gains.length; nodes++) {
      tokens += gains[nodes - 1];
      const perToken = (this.#cost(rows, 1 + nodes) + proposing) / tokens;
      if (perToken < best) {
        best = perToken;
        width = nodes;
      }
    }
    return { width, milliseconds: best * rows };
  }

  /** Throws `INVALID_ARGUMENT` for costs that are none, by which nothing could be decided. */
  #cost(rows: number, nodes: number): number {
    const milliseconds: unknown = this.#costs?.milliseconds(rows, nodes);
    if (typeof milliseconds === 'number' && milliseconds > 0 && milliseconds < Number.POSITIVE_INFINITY) {
      return milliseconds;
    }
    throw wrongValue(
      `What model.costs.milliseconds(${rows}, ${nodes}) returns`,
      milliseconds,
      'a finite number above 0',
    );
  }
}

/** Path probability of each node; a drafter that gives none is taken at its acceptance so far. */
function pathProbabilities({ tokenIds, parents, probabilities }: DraftTree, acceptance: number): Float64Array {
  const paths = new Float64Array(tokenIds.length);
  for (let node = 0; node < paths.length; node++) {
    const parent = parents[node];
    const above = parent < 0 ? 1 : paths[parent];
    paths[node] = above * (probabilities === undefined ? acceptance : probabilities[node]);
  }
  return paths;
}
