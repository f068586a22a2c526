import type { DraftLimit, DraftTree, Hypothesis, NodeId, RowStart, Vocabulary } from '@foretoken/core';
import { assertPossible, EMPTY_DRAFT, type NodeBatch, nodeInBatch, type RowOutput } from '@foretoken/core/kit';
import { agreedPath, decidingNodes } from './accept.js';
import { assertDraft, firstChildPath, firstNodes, withoutEndTokens } from './draft-tree.js';

/** What the target chose after each scored node of a batch. */
export interface Verified {
  /** Id of the batch's first node. */
  readonly firstNode: NodeId;
  /** `[scored]`. */
  readonly tokenIds: Int32Array;
  /** Natural-log probabilities of the choices, `[scored]`, where asked for. */
  readonly logProbs?: Float32Array | undefined;
  /** Scores of the choices, `[scored]`, where the model reports them. */
  readonly scores?: Float32Array | undefined;
}

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
  anchor: NodeId;
  /** Tokens to add below the anchor before any draft: what is still to be read of the prefix, and what the output is to begin with, at first, then the token decided last. */
  pending: Int32Array;
  rounds = 0;
  /** Natural-log probabilities of the decided tokens, the end token's last, where they were asked for. */
  readonly #logProbs: number[] = [];
  #draft: DraftTree = EMPTY_DRAFT;
  #proposed = 0;
  #depth = 0;
  readonly #limit: number;
  /** Where the draft's first node is in the round's batch, and among its scores. */
  #firstInBatch = 0;
  #firstScore = 0;

  constructor(row: number, { prefix, cached, node }: RowStart, output: RowOutput, limit: number) {
    this.row = row;
    this.anchor = node;
    this.pending = Int32Array.from([...prefix.subarray(cached), ...output.tokenIds()]);
    this.output = output;
    this.#limit = limit;
  }

  /** The draft to score in this round. */
  get draft(): DraftTree {
    return this.#draft;
  }

  /** A draft path may be as long as the output may still grow, less the token that every round adds by itself. */
  draftLimit(maxNodes: number, maxDepth: number, minProbability: number): DraftLimit {
    const depth = Math.min(maxDepth, this.#limit - this.output.length - 1);
    return { nodes: depth < 1 ? 0 : maxNodes, depth: Math.max(depth, 0), minProbability };
  }

  /** Takes a draft for this round. Throws `INVALID_DRAFT`. */
  offer(draft: DraftTree, limit: DraftLimit, chain: boolean, vocabulary: Vocabulary, drafter: string): void {
    this.#depth = assertDraft(draft, limit, vocabulary, drafter);
    this.#proposed = draft.tokenIds.length;
    this.#draft = withoutEndTokens(chain ? firstChildPath(draft) : draft, vocabulary.endTokenId);
  }

  /** Leaves all but the first nodes of the draft unverified. */
  cut(nodes: number): void {
    this.#draft = firstNodes(this.#draft, nodes);
  }

  /** Skips the draft of this round. */
  offerNothing(): void {
    this.#depth = 0;
    this.#proposed = 0;
    this.#draft = EMPTY_DRAFT;
  }

  /** Adds this round's nodes to the batch; `decide` then reads their scores. */
  layOut(nodes: NodeBatch): void {
    const { tokenIds, parents } = this.#draft;
    nodes.addChain(this.row, this.anchor, this.pending, 'last');
    this.#firstInBatch = nodes.size;
    this.#firstScore = nodes.scores;
    for (let node = 0; node < parents.length; node++) {
      // Parent -1 is the last pending token, which sits just before the draft.
      nodes.add(this.row, nodeInBatch(this.#firstInBatch + parents[node]), tokenIds[node]);
    }
  }

  /**
   * Decides tokens by what the target chose after the scored nodes of the batch. Throws `INVALID_SCORES`,
   * `UNSATISFIABLE_CONSTRAINT` where it had nothing to choose by.
   */
  decide({ firstNode, tokenIds: chosen, logProbs, scores }: Verified): RoundCounts {
    const first = this.#firstScore;
    const path = agreedPath(this.#draft, chosen, first);
    const before = this.output.length;
    for (const node of decidingNodes(path, first)) {
      const tokenId = chosen[node];
      const best = (logProbs ?? scores)?.[node];
      if (best !== undefined) assertPossible(best, this.row, this.output.length);
      if (logProbs !== undefined) this.#logProbs.push(logProbs[node]);
      this.anchor = firstNode + this.#firstInBatch + node - first;
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

  /** What to report of the row's output. */
  hypothesis(scores: boolean, tokenLogProbs: boolean): Hypothesis {
    const score = scores ? this.#logProbs.reduce((sum, logProb) => sum + logProb, 0) : undefined;
    return {
      ...this.output.hypothesis(score),
      tokenLogProbs: tokenLogProbs ? Float32Array.from(this.#logProbs) : undefined,
    };
  }
}
