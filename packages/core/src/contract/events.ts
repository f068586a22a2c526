import type { DraftTree } from './drafter.js';
import type { Lattice } from './lattice.js';

/** Why a hypothesis ended: the end token, the length limit, a stop sequence or string, or (one-shot) all at once. */
export type FinishReason = 'end-token' | 'length' | 'stop-sequence' | 'stop-string' | 'complete';

/** The most probable tokens at one position, best first, with natural-log probabilities; `[k]` each. */
export interface Alternatives {
  readonly tokenIds: Int32Array;
  readonly logProbs: Float32Array;
}

/**
 * Where the best alignment of a lattice says each token of an output; `[tokens]` each. Frames between two tokens are blank. In
 * a DAG lattice a frame is the vertex of the path that says the token.
 */
export interface TokenAlignment {
  /** The first frame that says each token. */
  readonly firstFrames: Int32Array;
  /** The last frame itself, not the one after it. */
  readonly lastFrames: Int32Array;
  /** Natural-log probability of each token at its best frame. */
  readonly logProbs: Float32Array;
}

/** One output of a row. Its arrays belong to whoever receives it. */
export interface Hypothesis {
  /** Output tokens; the end token is not among them, a stop sequence or string is. */
  readonly tokenIds: Int32Array;
  /** What the strategy ranks by, where it computed one: a sum of natural-log probabilities, in a beam divided by length. */
  readonly score?: number | undefined;
  /** Sum of natural-log probabilities after the rules, the end token's included, where a strategy ranks otherwise. */
  readonly logProb?: number | undefined;
  /** Natural-log probability of each chosen token under the model alone, the end token's last, an output prefix's tokens
   * left out; where asked for. */
  readonly tokenLogProbs?: Float32Array | undefined;
  /** What else could have been chosen, one entry for each of `tokenLogProbs`; where asked for. */
  readonly alternatives?: readonly Alternatives[] | undefined;
  /** Frames of the lattice that say each of `tokenIds`; where asked for. */
  readonly alignment?: TokenAlignment | undefined;
  /** What ended the output. */
  readonly finishReason: FinishReason;
}

/** What came out for one source row: hypotheses, best first. */
export interface RowResult {
  /** The row of the request that it is of. */
  readonly row: number;
  /** The first of `hypotheses`. */
  readonly best: Hypothesis;
  /** At least one. */
  readonly hypotheses: readonly Hypothesis[];
}

/** What speculation did, over all rows of one decode. */
export interface SpeculationStatistics {
  /** Forwards of the drafter's model. */
  readonly draftForwards: number;
  /** Draft tokens offered. */
  readonly proposed: number;
  /** Of those, what the target scored. */
  readonly evaluated: number;
  /** Of those, what it agreed with. */
  readonly accepted: number;
}

/** Counts over all rows of one decode. */
export interface DecodeStatistics {
  /** Forwards of the model that decides the output; encoder forwards are not among them. */
  readonly forwards: number;
  /** Forwards of another model that wrote candidates or a first output for the one that decides; absent where there is none. */
  readonly otherForwards?: number | undefined;
  /** Output tokens of the best hypotheses, end tokens not counted. */
  readonly tokens: number;
  /** Absent where nothing is drafted. */
  readonly speculation?: SpeculationStatistics | undefined;
  /** Milliseconds from the call of `decode` to the last event. */
  readonly totalMs: number;
}

interface EventBase {
  /** Milliseconds since `decode` was called. */
  readonly atMs: number;
}

/** Tokens that are final: append-only. A row's commits, concatenated, are its best hypothesis. */
export interface TokenCommitEvent extends EventBase {
  readonly type: 'token-commit';
  readonly row: number;
  /** Place of the first of `tokenIds` in the output. */
  readonly position: number;
  readonly tokenIds: Int32Array;
}

/** A hypothesis of a search that is not over: it runs on, or it has finished and may yet be the best. */
export interface SearchBranch {
  /** Output tokens so far; the end token is not among them. */
  readonly tokenIds: Int32Array;
  /** Sum of natural-log probabilities of these tokens. */
  readonly logProb: number;
  /** Nothing follows it any more. */
  readonly finished: boolean;
}

/** The whole provisional output of a row, replacing what was shown before. */
export interface CanvasReviseEvent extends EventBase {
  readonly type: 'canvas-revise';
  readonly row: number;
  readonly tokenIds: Int32Array;
  /** Natural-log probability of each position, where known; `[length]`. */
  readonly logProbs?: Float32Array | undefined;
  /**
   * Where each position stood in the revision before, -1 if it is new; `[length]`. From strategies that edit: positions not
   * named were deleted. In the first revision, positions of the text that was to be edited.
   */
  readonly origins?: Int32Array | undefined;
  /** Frames of the lattice that say each of `tokenIds`; where asked for. */
  readonly alignment?: TokenAlignment | undefined;
  /** All hypotheses that a search keeps; where asked for. */
  readonly branches?: readonly SearchBranch[] | undefined;
  /** The lattice that the output was read from; where asked for. The arrays belong to the caller. */
  readonly lattice?: Lattice | undefined;
}

/** One round of speculation on one row: what was offered, what the target scored, what it agreed with. */
export interface DraftEndEvent extends EventBase {
  readonly type: 'draft-end';
  readonly row: number;
  /** Counts the row's rounds from 0. */
  readonly round: number;
  /** Draft tokens on the longest offered path. */
  readonly depth: number;
  /** Nodes that the drafter proposed. */
  readonly proposed: number;
  /** Nodes that the target scored; the decoder may leave some out. */
  readonly evaluated: number;
  /** Nodes that the target agreed with, on one path. */
  readonly accepted: number;
  /**
   * What the target scored, `evaluated` nodes. The first `accepted` tokens that the round committed are a path of it; the token
   * after them is the target's own. Read only.
   */
  readonly draft: DraftTree;
}

/** The last event. */
export interface DecodeEndEvent extends EventBase {
  readonly type: 'decode-end';
  /** The outputs of every row, in the order of the sources. */
  readonly results: readonly RowResult[];
  /** What the decode took. */
  readonly statistics: DecodeStatistics;
}

/** What a decode reports, in the order in which it happens. `decode-end` is the last event, once; see `collect`. */
export type DecodeEvent = TokenCommitEvent | CanvasReviseEvent | DraftEndEvent | DecodeEndEvent;
