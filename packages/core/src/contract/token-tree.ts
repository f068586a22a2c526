import type { OpenOptions, SourceEncoder } from './encoding.js';
import type { Vocabulary } from './vocabulary.js';

/** A node of a token tree: unique within its forest, never negative, never reused. */
export type NodeId = number;

/** Nodes to add in one forward, as parallel arrays `[count]`. Read during the call only; the caller keeps them. */
export interface NewNodes {
  /** Index of the source row, int32. */
  readonly row: Int32Array;
  /** `ROOT` (-1), a node the forest still holds, or an earlier node of this same batch as `nodeInBatch(index)` (-2 - index); int32. */
  readonly parent: Int32Array;
  /** Token of each node, `[nodes]`. */
  readonly tokenId: Int32Array;
  /** 1 for each node whose successor is to be scored, 0 for the others; without it all are scored. */
  readonly scored?: Uint8Array | undefined;
}

/** What to compute of the successors. Ask for the least: every output is copied out of the runtime. */
export type OutputRequest = (
  | { readonly kind: 'argmax' }
  | { readonly kind: 'topK'; readonly k: number }
  | { readonly kind: 'logProbs' }
  | { readonly kind: 'logits' }
) & {
  /** Also return the model's last hidden states; for models whose `supports.states` names the kind. */
  readonly states?: boolean | undefined;
};

/** Names of the outputs that a model can be asked for: `argmax`, `topK`, `logProbs` and `logits`. */
export type OutputKind = OutputRequest['kind'];

interface Scored {
  /** Id of the first node of the batch; the node at place `index` has the id `firstNode + index`. */
  readonly firstNode: NodeId;
  /** The last hidden state of each scored node, `[scored, width]`, fp32; where asked for. */
  readonly states?: Float32Array | undefined;
}

/** The most probable successor of each scored node, `[scored]`; the lowest id among equals. */
export interface ArgmaxExtension extends Scored {
  readonly kind: 'argmax';
  readonly tokenIds: Int32Array;
  /**
   * Score of each, `[scored]`, unnormalised, where the model reports it: `-Infinity` where no token is possible, NaN or
   * +Infinity where a score that it was chosen among is that.
   */
  readonly scores?: Float32Array | undefined;
}

/** The k best successors of each scored node, best first, `[scored, k]`; log-probabilities in natural log. */
export interface TopKExtension extends Scored {
  readonly kind: 'topK';
  readonly k: number;
  readonly tokenIds: Int32Array;
  readonly logProbs: Float32Array;
}

/** Natural-log probabilities of every successor of each scored node, `[scored, vocab]`. */
export interface LogProbsExtension extends Scored {
  readonly kind: 'logProbs';
  readonly logProbs: Float32Array;
}

/** Unnormalised scores of every successor of each scored node, `[scored, vocab]`. */
export interface LogitsExtension extends Scored {
  readonly kind: 'logits';
  readonly logits: Float32Array;
}

interface Extensions {
  readonly argmax: ArgmaxExtension;
  readonly topK: TopKExtension;
  readonly logProbs: LogProbsExtension;
  readonly logits: LogitsExtension;
}

/** Result of `extend`; rows of scores follow the order of the scored nodes. The arrays belong to the caller. */
export type Extension<Output extends OutputRequest = OutputRequest> = Extensions[Output['kind']];

/** Where a row begins: what must be its first tokens, and how much of that the forest holds already. */
export interface RowStart {
  /** Tokens that must be the row's first nodes, in order: a start token, or a prompt. At least one. A copy. */
  readonly prefix: Int32Array;
  /** How many of `prefix` are nodes already; fewer than all, since the last must be read to be scored. */
  readonly cached: number;
  /** The node of the last cached token; `ROOT` where none is cached. */
  readonly node: NodeId;
}

/**
 * One token tree per source row, and whatever the model keeps for each node so that a child can be scored.
 *
 * Owned by the decoder that opened it, which disposes of it on every path, errors included.
 */
export interface TokenForest<Source = never> extends AsyncDisposable {
  /** Rows that there have been, finished ones included: they are `0` to `rows - 1`. */
  readonly rows: number;
  /** Where the row begins. Throws `INVALID_NODE`, `DISPOSED`. */
  start(row: number): RowStart;
  /**
   * Adds nodes to any rows and scores successors, in one forward.
   *
   * Throws `INVALID_NODE` (unknown or released parent, finished row), `INVALID_ARGUMENT` (token id outside the
   * vocabulary, nothing to add or to score, another `extend` still running), `LENGTH_LIMIT` (deeper than `maxLength`),
   * `UNSUPPORTED_CAPABILITY`, `DISPOSED` (also where forest or model are disposed of meanwhile); then nothing was added.
   */
  extend<Output extends OutputRequest>(
    nodes: NewNodes,
    output: Output,
    signal?: AbortSignal,
  ): Promise<Extension<Output>>;
  /**
   * Releases every node of the row that is not on the path from the root to one of `leaves`.
   *
   * Throws `INVALID_NODE`, `DISPOSED`, and `INVALID_ARGUMENT` while `extend` is running.
   */
  retain(row: number, leaves: readonly NodeId[]): void;
  /** Releases the whole row; it costs nothing in later forwards. Throws as `retain` does. */
  finish(row: number): void;
  /**
   * Adds a row for each source to a forest that decodes already, where it was opened with `joining`; returns the first new row, the
   * others follow. What the other rows hold and give stays the same, bit by bit.
   *
   * Throws `UNSUPPORTED_CAPABILITY` (not opened with `joining`), `INVALID_ARGUMENT` (more rows than the model allows, another call
   * still running), `DISPOSED`, and what `open` throws; then no row was added.
   */
  join?(sources: readonly Source[], options?: OpenOptions): Promise<number>;
}

/** What an autoregressive model can do. Anything else is refused with `UNSUPPORTED_CAPABILITY` before the first forward. */
export interface AutoregressiveSupport {
  /** Output kinds this model can compute. */
  readonly outputs: readonly OutputKind[];
  /** Output kinds that can also return hidden states; default none. */
  readonly states?: readonly OutputKind[] | undefined;
  /** A node may have several children, and one call may add several nodes of one row that are not a chain. */
  readonly branching: boolean;
  /** Children may be added to a node that is not the latest of its row, after `retain` dropped the others. */
  readonly rollback: boolean;
  /** Rows that may be open in one forest. */
  readonly rows: number;
  /** Rows may join a forest that was opened with `joining`; default false. */
  readonly joining?: boolean | undefined;
  /** Largest `k` of the outputs that take one; 0 where there is none. */
  readonly maxCandidates: number;
}

/** What forwards cost on this machine, measured. */
export interface ForwardCosts {
  /** Milliseconds of a forward with `nodes` new nodes in each of `rows` rows; positive and finite, never less for more. */
  milliseconds(rows: number, nodes: number): number;
}

/** What a token forest is opened with. */
export interface ForestOptions extends OpenOptions {
  /**
   * Rows will join, for models whose `supports.joining` says so (default false). A row's scores then depend as little as the runtime
   * allows on the rows beside it: to the last bit on small models, to some 1e-5 for large ones with long prompts. Forwards of many
   * rows take somewhat longer for that.
   */
  readonly joining?: boolean | undefined;
  /**
   * What prompts have in common may be read once for all rows, which then begin with it (default true). Scores differ by it no more
   * than by the rows beside a row. `false` is for who wants scores or states of every token of a prompt: `cached` of each row is 0.
   */
  readonly sharing?: boolean | undefined;
}

/** A model that scores the next token given all tokens before it. */
export interface AutoregressiveModel<Source> {
  readonly vocabulary: Vocabulary;
  /** Most nodes on a path from the root, prefix included. */
  readonly maxLength: number;
  /** What the model can do. */
  readonly supports: AutoregressiveSupport;
  /** What reads the sources, where other models may share it. */
  readonly encoder?: SourceEncoder<Source> | undefined;
  /**
   * How many tokens behind a row's first one count in an output's length although no decoder chose them; default 0. They end
   * `RowStart.prefix` or begin an output prefix: a language, say. Transformers calls such a token `forced_bos_token_id`.
   */
  readonly forcedTokens?: number | undefined;
  /** Where they were measured: speculation then verifies no more than pays. */
  readonly costs?: ForwardCosts | undefined;
  /** Throws `EMPTY_SOURCE`, `SOURCE_TOO_LONG`, `INVALID_ARGUMENT`, `UNSUPPORTED_CAPABILITY`, `DISPOSED`. */
  open(sources: readonly Source[], options?: ForestOptions): Promise<TokenForest<Source>>;
}
