import {
  type AutoregressiveModel,
  type AutoregressiveSupport,
  ForetokenError,
  type SourceEncoder,
  type TokenSource,
} from '@foretoken/core';
import {
  anything,
  assertInteger,
  assertTokenSources,
  callback,
  checkOptions,
  fields,
  flag,
  forestOptions,
  integer,
  listOf,
  type OptionTable,
  oneOf,
  refuseEncoding,
  withMethods,
} from '@foretoken/core/kit';
import { RANDOM_LOGITS_OPTIONS, type RandomLogitsOptions, randomLogits, type Score } from './random-logits.js';
import { ScriptedForest } from './scripted-forest.js';
import { vocabularyOf } from './scripted-scores.js';

/** What a scripted autoregressive model is made of. */
export interface ScriptedModelOptions {
  readonly vocabularySize: number;
  /** Default 0; -1 where no token ends outputs. */
  readonly endTokenId?: number | undefined;
  /** What the model thinks comes next; output tokens only, the prefix is not passed. */
  readonly score: Score;
  /** Hidden state after an output, `[width]`; a model with it returns hidden states beside every output. */
  readonly state?: Score | undefined;
  /** Tokens every row begins with; default one token, id 1. */
  readonly prefix?: readonly number[] | undefined;
  /** How many tokens of the prefix are nodes already when a row opens, as where rows share a prompt; default 0, less than all. */
  readonly cached?: number | undefined;
  /** Most nodes on a path, prefix included; default 64. */
  readonly maxLength?: number | undefined;
  /** Narrows what the model offers; what it does not offer it refuses. */
  readonly supports?: Partial<AutoregressiveSupport> | undefined;
  /** An encoder to name, for tests of shared encodings. */
  readonly encoder?: SourceEncoder<TokenSource> | undefined;
}

const ALL = {
  outputs: ['argmax', 'topK', 'logProbs', 'logits'],
  branching: true,
  rollback: true,
  rows: 4096,
  joining: true,
} as const;

const SHARED = {
  prefix: listOf(integer(0), 1),
  maxLength: integer(1),
  supports: fields<Partial<AutoregressiveSupport>>({
    outputs: listOf(oneOf('argmax', 'topK', 'logProbs', 'logits')),
    states: listOf(oneOf('argmax', 'topK', 'logProbs', 'logits')),
    branching: flag,
    rollback: flag,
    rows: integer(1),
    joining: flag,
    maxCandidates: integer(0),
  }),
};

const OPTIONS: OptionTable<ScriptedModelOptions> = {
  ...SHARED,
  vocabularySize: integer(1),
  endTokenId: integer(-1),
  cached: integer(0),
  score: callback<Score>(anything),
  state: callback<Score>(anything),
  encoder: withMethods('an encoder', 'encode'),
};

/** An autoregressive model that is a function, keeping the token-forest contract to the letter. */
export function scriptedModel(options: ScriptedModelOptions): AutoregressiveModel<TokenSource> {
  options = checkOptions('scriptedModel', options, OPTIONS, ['vocabularySize', 'score']);
  const { vocabularySize, endTokenId = 0, maxLength = 64, encoder } = options;
  const { prefix = [1], cached = 0 } = options;
  assertInteger('cached', cached, 0, prefix.length - 1);
  const outputs = options.supports?.outputs ?? ALL.outputs;
  const maxCandidates = outputs.includes('topK') ? vocabularySize : 0;
  const states = options.state === undefined ? [] : outputs;
  const supports = { ...ALL, outputs, states, maxCandidates, ...options.supports };
  return {
    vocabulary: vocabularyOf(vocabularySize, endTokenId),
    maxLength,
    supports,
    encoder,
    async open(sources, given) {
      const checked = forestOptions(given);
      if (encoder === undefined) refuseEncoding(checked);
      const { joining = false, sharing = true } = checked;
      assertTokenSources(sources);
      if (joining && !supports.joining)
        throw new ForetokenError('UNSUPPORTED_CAPABILITY', 'No row can join a forest of this model.');
      return new ScriptedForest(sources, { ...options, maxLength, cached: sharing ? cached : 0 }, supports, joining);
    },
  };
}

/** What a random, repeatable autoregressive model is like. */
export interface RandomModelOptions extends Omit<RandomLogitsOptions, 'endTokenId'> {
  readonly endTokenId?: number | undefined;
  /** Tokens every row begins with; default one token, id 1. */
  readonly prefix?: readonly number[] | undefined;
  /** Most tokens of a path. */
  readonly maxLength?: number | undefined;
  /** What the model says it can do, where that is not all. */
  readonly supports?: Partial<AutoregressiveSupport> | undefined;
}

const RANDOM_OPTIONS: OptionTable<RandomModelOptions> = { ...RANDOM_LOGITS_OPTIONS, ...SHARED };

/** A scripted model with random, repeatable scores: thousands of different models cost nothing to make. */
export function randomScriptedModel(options: RandomModelOptions): AutoregressiveModel<TokenSource> {
  const { prefix, maxLength, supports, ...given } = checkOptions('randomScriptedModel', options, RANDOM_OPTIONS, [
    'seed',
    'vocabularySize',
  ]);
  const logits = { ...given, endTokenId: given.endTokenId ?? 0 };
  return scriptedModel({
    vocabularySize: logits.vocabularySize,
    endTokenId: logits.endTokenId,
    score: randomLogits(logits),
    prefix,
    maxLength,
    supports,
  });
}
