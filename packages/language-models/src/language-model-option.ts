import { ForetokenError } from '@foretoken/core';
import {
  type Complete,
  fields,
  hasMethods,
  immediate,
  integer,
  number,
  type OptionReader,
  withMethods,
  wrongValue,
} from '@foretoken/core/kit';
import type { LanguageModel, NextTokens } from './language-model.js';
import { NgramModel } from './ngram-model.js';

/** The option `languageModel` of every strategy that takes one. */
export interface WeightedLanguageModel {
  /** The model; who gives it keeps it. */
  readonly model: LanguageModel;
  /** From 0; what it weighs and its default are the strategy's matter. With 0 the model is not asked. */
  readonly weight?: number | undefined;
}

const METHODS = ['start', 'score', 'next', 'end'] as const;
const ANY_NUMBER = number(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);

const readMethods: OptionReader<LanguageModel> = withMethods(
  'a language model with the methods start, score, next and end',
  ...METHODS,
);

/** Reads a language model and guards it: where a method answers with a promise, or with no number, it says so. */
export const readLanguageModel: OptionReader<LanguageModel> = (name, value) => {
  const model = readMethods(name, value);
  // Ours needs no guard, which would cost a call for each score.
  return model instanceof NgramModel ? model : guarded(name, model);
};

const readBoth: OptionReader<WeightedLanguageModel> = fields<WeightedLanguageModel>(
  { model: readLanguageModel, weight: number(0, 1e6) },
  ['model'],
);

/** Reads the option `languageModel: { model, weight }`. */
export const languageModelOption: OptionReader<WeightedLanguageModel> = (name, value) => {
  if (hasMethods(value, ...METHODS)) {
    throw wrongValue(name, value, '{ model, weight } with the language model as model; weight may be left out');
  }
  return readBoth(name, value);
};

/** Throws `INVALID_ARGUMENT` for a model of another vocabulary; `name` is the option's. */
export function assertSameVocabulary(name: string, { vocabularySize }: LanguageModel, size: number): void {
  if (vocabularySize === undefined || vocabularySize === size) return;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `${name} is a model of ${vocabularySize} tokens, but a vocabulary of ${size} is decoded; one of the same tokens is required.`,
    { option: name, received: vocabularySize, required: size },
  );
}

function guarded(name: string, model: LanguageModel): LanguageModel {
  const { vocabularySize, maxScore } = model;
  const checked = (method: string, result: unknown): number => {
    if (typeof result === 'number') return result;
    throw wrongValue(`What ${name}.${method} returns`, result, 'a number');
  };
  const view = (next: NextTokens): NextTokens => {
    if (!hasMethods(next, 'probability', 'end')) {
      throw wrongValue(`What ${name}.distribution returns`, next, 'an object with the methods probability and end');
    }
    return {
      probability: (tokenId) => checked('distribution().probability', next.probability(tokenId)),
      end: () => checked('distribution().end', next.end()),
    };
  };
  const core: LanguageModel = {
    vocabularySize: vocabularySize === undefined ? undefined : integer(1)(`${name}.vocabularySize`, vocabularySize),
    maxScore: maxScore === undefined ? undefined : ANY_NUMBER(`${name}.maxScore`, maxScore),
    start: () => immediate(`What ${name}.start returns`, model.start()),
    score: (state, tokenId) => checked('score', model.score(state, tokenId)),
    next: (state, tokenId) => immediate(`What ${name}.next returns`, model.next(state, tokenId)),
    end: (state) => checked('end', model.end(state)),
  };
  if (model.distribution === undefined) return core;
  if (!hasMethods(model, 'distribution')) throw wrongValue(`${name}.distribution`, model.distribution, 'a function');
  return { ...core, distribution: (state) => view((model as Complete<LanguageModel>).distribution(state)) };
}
