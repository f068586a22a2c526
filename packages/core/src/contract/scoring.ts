/** What a rule may know of the hypothesis whose next token is being scored. Read during the call only. */
export interface ScoringContext {
  readonly row: number;
  /** Tokens the model made the row begin with. */
  readonly prefix: Int32Array;
  /** Output tokens so far, the prefix not among them. */
  readonly output: readonly number[];
}

/**
 * Changes the scores of the next tokens, `[vocab]`, in place: logits where a strategy samples or takes the best, natural
 * log-probabilities where it searches. `-Infinity` rules a token out. What it does depends on its arguments alone.
 */
export type ScoreProcessor = (scores: Float32Array, context: ScoringContext) => void;

/**
 * A state machine over tokens that says which token may come next: a grammar, a regular expression, a schema.
 *
 * States are values: `next` never changes the state it was given, since several hypotheses may share it.
 */
export interface TokenConstraint<State = unknown> {
  /** State before the first output token. */
  start(row: number): State;
  /** State after `tokenId`, which was allowed. */
  next(state: State, tokenId: number): State;
  /** 1 for each token that may come next, the end token where the output may end, `[vocab]`; read only. */
  allowed(state: State): Uint8Array;
}

/** Strings that end a hypothesis as soon as its text contains one, also across the borders of tokens. */
export interface StopStrings {
  /** None of them empty. */
  readonly strings: readonly string[];
  /** Text of output tokens; a tokenizer's `decode`. */
  textOf(tokenIds: Int32Array): string;
}
