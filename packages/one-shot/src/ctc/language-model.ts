import {
  ForetokenError,
  hasMethods,
  immediate,
  NgramModel,
  number,
  type OptionReader,
  type Vocabulary,
  withMethods,
  wrongValue,
} from '@foretoken/core';

/**
 * A model that scores outputs token by token, so that a search can add its opinion to the lattice's.
 *
 * States are values: `next` never changes the state it was given, since several prefixes may share it.
 */
export interface LanguageModel<State = unknown> {
  /** State before the first token. */
  start(): State;
  /** Natural-log probability, or any other bonus, of `tokenId` after what led to `state`; `-Infinity` rules it out. */
  score(state: State, tokenId: number): number;
  /** State after `tokenId`. */
  next(state: State, tokenId: number): State;
  /** What is added where the output ends. */
  end(state: State): number;
  /** No `score` is above this, such as 0 for log-probabilities: a search need not ask about what then has no chance. */
  readonly mostScore?: number;
}

const readMethods: OptionReader<LanguageModel> = withMethods(
  'an n-gram model or a language model with the methods start, score, next and end',
  'start',
  'score',
  'next',
  'end',
);

/** Reads a language model and guards it: where a method answers with a promise, or with no number, it says so. */
export const readLanguageModel: OptionReader<NgramModel | LanguageModel> = (name, value) => {
  if (hasMethods(value, 'after') && value instanceof NgramModel) return value;
  const model = readMethods(name, value);
  const { mostScore } = model;
  const score = (method: string, result: unknown): number => {
    if (typeof result === 'number') return result;
    throw wrongValue(`What ${name}.${method} returns`, result, 'a number');
  };
  return {
    start: () => immediate(`What ${name}.start returns`, model.start()),
    score: (state, tokenId) => score('score', model.score(state, tokenId)),
    next: (state, tokenId) => immediate(`What ${name}.next returns`, model.next(state, tokenId)),
    end: (state) => score('end', model.end(state)),
    ...(mostScore === undefined
      ? {}
      : { mostScore: number(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)(`${name}.mostScore`, mostScore) }),
  };
};

/** A language model and how much it counts. */
export interface WeightedModel {
  readonly model: LanguageModel;
  readonly weight: number;
}

/** Where an n-gram model of tokens stands. */
interface NgramState {
  readonly last: number;
  readonly probability: (tokenId: number) => number;
}

/**
 * The n-gram model's opinion as a language model; an output's end counts as the end token.
 *
 * Throws `INVALID_ARGUMENT` where the model is of another vocabulary.
 */
export function ngramLanguageModel(
  ngrams: NgramModel,
  { size, endTokenId }: Pick<Vocabulary, 'size' | 'endTokenId'>,
): LanguageModel<NgramState> {
  if (ngrams.vocabularySize !== size) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `languageModel is a model of ${ngrams.vocabularySize} tokens, but the lattice model's ${size} are required.`,
      { option: 'languageModel', received: ngrams.vocabularySize, required: size },
    );
  }
  const stateOf = (before: number, last: number): NgramState => ({ last, probability: ngrams.after(before, last) });
  return {
    start: () => stateOf(ngrams.startTokenId, ngrams.startTokenId),
    score: ({ probability }, tokenId) => Math.log(probability(tokenId)),
    next: ({ last }, tokenId) => stateOf(last, tokenId),
    // A vocabulary may have no end token.
    end: ({ probability }) => (endTokenId >= 0 && endTokenId < size ? Math.log(probability(endTokenId)) : 0),
    mostScore: 0,
  };
}

export function isNgramModel(model: NgramModel | LanguageModel): model is NgramModel {
  return model instanceof NgramModel;
}
