import type { SourceEncoder, SourceEncoding } from './encoding.js';
import type { Vocabulary } from './vocabulary.js';

/**
 * A guess at what follows a prefix, as a tree of at most `limit.nodes` tokens.
 *
 * Parallel arrays `[nodes]`: `parents[i]` is the index of an earlier node, or -1 for a child of the prefix. Siblings hold
 * different tokens. An end token is a leaf. An empty draft is valid: the round is then a plain step. The decoder may verify
 * only the first nodes, so what is most worth verifying comes first.
 */
export interface DraftTree {
  /** Token of each node, `[nodes]`. */
  readonly tokenIds: Int32Array;
  /** Index of each node's parent, always earlier, or -1 for a child of the prefix, `[nodes]`. */
  readonly parents: Int32Array;
  /** How probable the drafter holds it that the target agrees with each token, given that it agrees with those above; 0 to 1. */
  readonly probabilities?: Float32Array | undefined;
}

/** How large a draft may be: a drafter may give fewer nodes, never more. */
export interface DraftLimit {
  /** Most nodes of the draft. */
  readonly nodes: number;
  /** Most nodes on one path. */
  readonly depth: number;
  /** A node is not worth verifying where its path, from the prefix on, is less probable than this; default 0. */
  readonly minProbability?: number | undefined;
}

/** One row of a round: what its output is so far, and how long its draft may be. */
export interface DraftRequest {
  readonly row: number;
  /** Output tokens so far. It usually goes on from the prefix before, but need not: a beam may go on from another one. */
  readonly prefix: Int32Array;
  /** How large the draft may be. */
  readonly limit: DraftLimit;
}

/** What a drafter is opened with, beside the sources. */
export interface DraftContext {
  /** Encoder result for the same sources, present when the target's encoder is the drafter's `encoder`. */
  readonly encoding?: SourceEncoding | undefined;
  /**
   * Seed of the decode, for drafters that draw; an unsigned 32-bit integer. With a row's source it makes that row's own stream, so
   * that drafts do not depend on the rows beside it.
   */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Drafts for one batch of sources; owned by the decoder that opened it. */
export interface DraftSession extends AsyncDisposable {
  /** Draft-model forwards so far. */
  readonly forwards: number;
  /** Proposes how each of these rows goes on, all at once, so that a model can draft for them in one forward; in their order. */
  propose(requests: readonly DraftRequest[]): readonly DraftTree[] | Promise<readonly DraftTree[]>;
  /** Says that no more drafts of a row will be asked for. A promise is waited for. */
  finish(row: number): void | Promise<void>;
}

/** What drafting costs on this machine, measured; milliseconds. */
export interface DraftingCosts {
  /** Opening one source, its lattice included. */
  readonly open: number;
  /** Proposing for one row. */
  readonly propose: number;
}

/** Proposes continuations cheaply. Drafts never change what speculative decoding outputs, only how soon. */
export interface Drafter<Source> {
  readonly name: string;
  /** Token ids must mean the same to drafter and target; absent when the drafter takes any vocabulary. */
  readonly vocabulary?: Vocabulary | undefined;
  /** What reads the sources, where other models may share it. */
  readonly encoder?: SourceEncoder<Source> | undefined;
  /** Where they were measured: the decoder then leaves drafting alone where it cannot pay. */
  readonly costs?: DraftingCosts | undefined;
  /** Opens drafts for a batch of sources; whoever opens the session disposes of it. */
  open(sources: readonly Source[], context: DraftContext): Promise<DraftSession>;
}
