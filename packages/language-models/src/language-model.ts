/**
 * A model that scores outputs token by token, so that a search or a drafter can add its opinion to another model's.
 *
 * States are values: no method changes a state, since several prefixes may share it and come back to it. A state belongs to
 * the model that made it. All methods answer at once; scores are natural logarithms.
 */
export interface LanguageModel<State = unknown> {
  /** Tokens it knows, ids from 0; `undefined` where it takes any id, as a list of phrases does. */
  readonly vocabularySize?: number | undefined;
  /**
   * Neither `score` nor `end` is above this, such as 0 for log-probabilities: a search need not ask about what then has no
   * chance. `undefined` where there is no bound.
   */
  readonly maxScore?: number | undefined;
  /** State before the first token of an output. */
  start(): State;
  /** Natural-log probability, or any other bonus, of `tokenId` after what led to `state`; `-Infinity` rules it out. */
  score(state: State, tokenId: number): number;
  /** State after `tokenId`. */
  next(state: State, tokenId: number): State;
  /** Natural-log probability, or any other bonus, that the output ends after `state`: what is added for its end token. */
  end(state: State): number;
  /**
   * The same scores as probabilities, for those who ask for several candidates of one state. Offer it where probabilities are
   * at hand, or where a part of the work is the same for all candidates; without it `score` and `end` are asked.
   */
  distribution?(state: State): NextTokens;
}

/** What may follow a state, in the linear domain: `exp` of the model's scores. */
export interface NextTokens {
  /** Probability of a token; 0 rules it out. */
  probability(tokenId: number): number;
  /** Probability that the output ends. */
  end(): number;
}

/** What may follow a state, also of a model that offers no `distribution`. */
export function nextTokens<State>(model: LanguageModel<State>, state: State): NextTokens {
  return (
    model.distribution?.(state) ?? {
      probability: (tokenId) => Math.exp(model.score(state, tokenId)),
      end: () => Math.exp(model.end(state)),
    }
  );
}
