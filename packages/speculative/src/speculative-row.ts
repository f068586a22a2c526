import { type DraftLimit, type DraftTree, type NodeId, ROOT, type RowOutput, type Vocabulary } from '@foretoken/core';
import { agreedPath, decidingNodes } from './accept.js';
import { assertDraft, EMPTY_DRAFT, firstChildPath, withoutEndTokens } from './draft-tree.js';

/** What one round did to a row. */
export interface RoundCounts {
  readonly depth: number;
  readonly proposed: number;
  readonly evaluated: number;
  readonly accepted: number;
}

/** One row between rounds: its output, the node it goes on from, and the decided tokens that are not nodes yet. */
export class SpeculativeRow {
  readonly row: number;
  readonly output: RowOutput;
  /** Deepest node of the accepted path. */
  anchor: NodeId = ROOT;
  /** Tokens to add below the anchor before any draft: the prefix at first, then the token decided last. */
  pending: Int32Array;
  rounds = 0;
  /** Sum of natural-log probabilities of the decided tokens, where they were asked for. */
  score = 0;
  #draft: DraftTree = EMPTY_DRAFT;
  #proposed = 0;
  #depth = 0;
  readonly #limit: number;

  constructor(row: number, prefix: Int32Array, output: RowOutput, limit: number) {
    this.row = row;
    this.pending = prefix;
    this.output = output;
    this.#limit = limit;
  }

  /** The draft to score in this round. */
  get draft(): DraftTree {
    return this.#draft;
  }

  /** New nodes of this round. */
  get width(): number {
    return this.pending.length + this.#draft.tokenIds.length;
  }

  /** A draft path may be as long as the output may still grow, less the token that every round adds by itself. */
  draftLimit(maxNodes: number, maxDepth: number): DraftLimit {
    const depth = Math.min(maxDepth, this.#limit - this.output.length - 1);
    return { nodes: depth < 1 ? 0 : maxNodes, depth: Math.max(depth, 0) };
  }

  /** Takes a draft for this round. Throws `INVALID_DRAFT`. */
  offer(draft: DraftTree, limit: DraftLimit, chain: boolean, vocabulary: Vocabulary, drafter: string): void {
    this.#depth = assertDraft(draft, limit, vocabulary, drafter);
    this.#proposed = draft.tokenIds.length;
    this.#draft = withoutEndTokens(chain ? firstChildPath(draft) : draft, vocabulary.endTokenId);
  }

  /** Skips the draft of this round. */
  offerNothing(): void {
    this.#depth = 0;
    this.#proposed = 0;
    this.#draft = EMPTY_DRAFT;
  }

  /** Writes this round's nodes from index `at` on; returns the index after the last. */
  layOut(nodes: { row: Int32Array; parent: Int32Array; tokenId: Int32Array }, at: number, nextNode: NodeId): number {
    const { tokenIds, parents } = this.#draft;
    const first = at + this.pending.length;
    nodes.tokenId.set(this.pending, at);
    for (let node = at; node < first; node++) nodes.parent[node] = nextNode + node - 1;
    nodes.parent[at] = this.anchor;
    nodes.tokenId.set(tokenIds, first);
    for (let node = 0; node < parents.length; node++) {
      // Parent -1 lands on the last pending token, which sits just before the draft.
      nodes.parent[first + node] = nextNode + first + (parents[node] as number);
    }
    nodes.row.fill(this.row, at, first + parents.length);
    return first + parents.length;
  }

  /** Decides tokens by what the target chose after the nodes that `layOut` wrote at `at`. */
  decide(chosen: Int32Array, logProbs: Float32Array | undefined, at: number, firstNode: NodeId): RoundCounts {
    const first = at + this.pending.length;
    const path = agreedPath(this.#draft, chosen, first);
    const before = this.output.length;
    for (const node of decidingNodes(path, first)) {
      const tokenId = chosen[node] as number;
      if (logProbs !== undefined) this.score += logProbs[node] as number;
      this.anchor = firstNode + node;
      this.pending = Int32Array.of(tokenId);
      if (!this.output.push(tokenId)) break;
    }
    this.rounds++;
    return {
      depth: this.#depth,
      proposed: this.#proposed,
      evaluated: this.#draft.tokenIds.length,
      accepted: Math.min(path.length, this.output.length - before),
    };
  }
}
