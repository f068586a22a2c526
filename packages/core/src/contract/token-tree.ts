import type { OpenOptions, SourceEncoder } from './encoding.js';
import type { Vocabulary } from './vocabulary.js';

/** A node of a token tree: unique within its forest, never reused. */
export type NodeId = number;

/** The parent of a row's first node. */
export const ROOT: NodeId = -1;

/** Nodes to add, as parallel arrays `[count]`, int32. Read during the call only; the caller keeps them. */
export interface NewNodes {
  /** Index of the source row. */
  readonly row: Int32Array;
  /**
   * `ROOT`, a node the forest still holds, or an earlier node of this same call: the i-th new node gets the id
   * `forest.nextNode + i`, so a draft of any shape can be added in one call.
   */
  readonly parent: Int32Array;
  readonly tokenId: Int32Array;
}

/** What to compute for each new node's successor. Ask for the least: every output is copied out of the runtime. */
export type OutputRequest =
  | { readonly kind: 'argmax' }
  | { readonly kind: 'topK'; readonly k: number }
  | { readonly kind: 'topKWithStates'; readonly k: number }
  | { readonly kind: 'logProbs' }
  | { readonly kind: 'logits' };

export type OutputKind = OutputRequest['kind'];

/** The most probable successor of each new node, `[count]`; the lowest id among equals. */
export interface ArgmaxExtension {
  readonly firstNode: NodeId;
  readonly tokenIds: Int32Array;
}

/** The k best successors of each new node, best first, `[count, k]`; log-probabilities in natural log. */
export interface TopKExtension {
  readonly firstNode: NodeId;
  readonly k: number;
  readonly tokenIds: Int32Array;
  readonly logProbs: Float32Array;
}

/** The k best successors, and the model's last hidden state at each new node, `[count, width]`, fp32. */
export interface TopKWithStatesExtension extends TopKExtension {
  readonly states: Float32Array;
}

/** Natural-log probabilities of every successor of each new node, `[count, vocab]`. */
export interface LogProbsExtension {
  readonly firstNode: NodeId;
  readonly logProbs: Float32Array;
}

/** Unnormalised scores of every successor of each new node, `[count, vocab]`. */
export interface LogitsExtension {
  readonly firstNode: NodeId;
  readonly logits: Float32Array;
}

interface Extensions {
  readonly argmax: ArgmaxExtension;
  readonly topK: TopKExtension;
  readonly topKWithStates: TopKWithStatesExtension;
  readonly logProbs: LogProbsExtension;
  readonly logits: LogitsExtension;
}

/** Result of `extend`; the arrays belong to the caller. */
export type Extension<Output extends OutputRequest> = Extensions[Output['kind']];

/**
 * One token tree per source row, and whatever the model keeps for each node so that a child can be scored.
 *
 * Owned by the decoder that opened it, which disposes of it on every path, errors included.
 */
export interface TokenForest extends AsyncDisposable {
  readonly rows: number;
  /** The id the next new node will get. */
  readonly nextNode: NodeId;
  /** Tokens that must be a row's first nodes, in order: a start token, or a prompt. At least one. */
  prefix(row: number): Int32Array;
  /**
   * Adds nodes to any rows and scores their successors, in one forward.
   *
   * Throws `INVALID_NODE` (unknown or released parent, finished row), `INVALID_ARGUMENT` (token id outside the
   * vocabulary), `LENGTH_LIMIT` (deeper than `maxLength`), `UNSUPPORTED_CAPABILITY`, `DISPOSED`; then nothing was added.
   */
  extend<Output extends OutputRequest>(
    nodes: NewNodes,
    output: Output,
    signal?: AbortSignal,
  ): Promise<Extension<Output>>;
  /** Releases every node of the row that is not on the path from the root to one of `leaves`. */
  retain(row: number, leaves: readonly NodeId[]): void;
  /** Releases the whole row; it costs nothing in later forwards. */
  finish(row: number): void;
}

export interface AutoregressiveSupport {
  /** Output kinds this model can compute. */
  readonly outputs: readonly OutputKind[];
  /** A node may have several children, and one call may add several nodes of one row that are not a chain. */
  readonly branching: boolean;
  /** Children may be added to a node that is not the latest of its row, after `retain` dropped the others. */
  readonly rollback: boolean;
  /** Rows one forest may hold. */
  readonly rows: number;
  /** Largest `k` of the outputs that take one; 0 where there is none. */
  readonly maxCandidates: number;
}

/** A model that scores the next token given all tokens before it. */
export interface AutoregressiveModel<Source> {
  readonly vocabulary: Vocabulary;
  /** Most nodes on a path from the root, prefix included. */
  readonly maxLength: number;
  readonly supports: AutoregressiveSupport;
  readonly encoder?: SourceEncoder<Source>;
  /** Throws `EMPTY_SOURCE`, `SOURCE_TOO_LONG`, `INVALID_ARGUMENT`, `UNSUPPORTED_CAPABILITY`, `DISPOSED`. */
  open(sources: readonly Source[], options?: OpenOptions): Promise<TokenForest>;
}
