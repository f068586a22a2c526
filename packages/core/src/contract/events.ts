/** Why a hypothesis ended: the end token, the length limit, a stop sequence, or (one-shot) the whole output at once. */
export type FinishReason = 'end-token' | 'length' | 'stop-sequence' | 'complete';

export interface Hypothesis {
  /** Output tokens; the end token is not among them, a stop sequence is. */
  readonly tokenIds: Int32Array;
  /** Sum of natural-log probabilities the strategy ranks by, where it computed one. */
  readonly score?: number;
  readonly finishReason: FinishReason;
}

/** Hypotheses of one source row, best first. */
export interface RowResult {
  readonly row: number;
  readonly hypotheses: readonly Hypothesis[];
}

/** Counts over all rows of one decode. */
export interface DecodeStatistics {
  /** Forwards of the model that decides the output; encoder forwards are not among them. */
  readonly forwards: number;
  /** Forwards of a draft model. */
  readonly draftForwards: number;
  /** Output tokens of the best hypotheses, end tokens not counted. */
  readonly tokens: number;
  /** Draft tokens offered, scored by the target, and agreed with. */
  readonly proposed: number;
  readonly evaluated: number;
  readonly accepted: number;
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

/** The whole provisional output of a row, replacing what was shown before. */
export interface CanvasReviseEvent extends EventBase {
  readonly type: 'canvas-revise';
  readonly row: number;
  readonly tokenIds: Int32Array;
  /** Natural-log probability of each position, where known; `[length]`. */
  readonly logProbs?: Float32Array;
}

/** One round of speculation on one row: what was offered, what the target scored, what it agreed with. */
export interface DraftEndEvent extends EventBase {
  readonly type: 'draft-end';
  readonly row: number;
  /** Counts the row's rounds from 0. */
  readonly round: number;
  /** Draft tokens on the longest offered path. */
  readonly depth: number;
  readonly proposed: number;
  readonly evaluated: number;
  readonly accepted: number;
}

/** The last event. */
export interface DecodeEndEvent extends EventBase {
  readonly type: 'decode-end';
  readonly results: readonly RowResult[];
  readonly statistics: DecodeStatistics;
}

export type DecodeEvent = TokenCommitEvent | CanvasReviseEvent | DraftEndEvent | DecodeEndEvent;
