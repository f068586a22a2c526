/** What a rule may know of the hypothesis whose next token is being scored. Read during the call only. */
export interface ScoringContext {
  readonly row: number;
  /** Tokens the model made the row begin with. */
  readonly prefix: Int32Array;
  /** Output tokens so far, the prefix not among them. */
  readonly output: readonly number[];
  /**
   * In a search, the context of the hypothesis that this one grew from by its last token, where that was scored before. What a
   * rule keeps about a hypothesis can thus be carried on, instead of being found again from the whole output.
   */
  readonly grownFrom?: ScoringContext | undefined;
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
  /**
   * Text of consecutive output tokens; a tokenizer's `decode`. It is given the last few tokens of an output, not the whole:
   * what a token adds to the text may depend on the few before it.
   */
  textOf(tokenIds: Int32Array): string;
}
