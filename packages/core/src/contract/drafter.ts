import type { SourceEncoder, SourceEncoding } from './encoding.js';
import type { Vocabulary } from './vocabulary.js';

/**
 * A guess at what follows the accepted prefix, as a tree of at most `limit.nodes` tokens.
 *
 * Parallel arrays `[nodes]`: `parents[i]` is the index of an earlier node, or -1 for a child of the prefix. Siblings hold
 * different tokens. An end token is a leaf. An empty draft is valid: the round is then a plain step.
 */
export interface DraftTree {
  readonly tokenIds: Int32Array;
  readonly parents: Int32Array;
}

export interface DraftLimit {
  /** Most nodes of the draft. */
  readonly nodes: number;
  /** Most nodes on one path. */
  readonly depth: number;
}

export interface DraftContext {
  /** Encoder result for the same sources, present when the target's encoder is the drafter's `encoder`. */
  readonly encoding?: SourceEncoding;
  readonly signal?: AbortSignal;
}

/** Drafts for one batch of sources; owned by the decoder that opened it. */
export interface DraftSession extends AsyncDisposable {
  /** Draft-model forwards so far. */
  readonly forwards: number;
  /** Proposes a continuation of `prefix` (the row's output tokens so far), which only ever grows between calls. */
  propose(row: number, prefix: Int32Array, limit: DraftLimit): DraftTree | Promise<DraftTree>;
}

/** Proposes continuations cheaply. Drafts never change what speculative decoding outputs, only how soon. */
export interface Drafter<Source> {
  readonly name: string;
  /** Token ids must mean the same to drafter and target; absent when the drafter takes any vocabulary. */
  readonly vocabulary?: Vocabulary;
  readonly encoder?: SourceEncoder<Source>;
  open(sources: readonly Source[], context: DraftContext): Promise<DraftSession>;
}
