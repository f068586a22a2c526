import type { AutoregressiveModel, TokenSource } from '@foretoken/core';
import type { PromptOptions } from './cached-laws.js';
import { randomLogits, type Score } from './random-logits.js';
import { scriptedModel } from './scripted-model.js';

type Autoregressive = AutoregressiveModel<TokenSource>;

const VOCABULARY = 7;
export const END = 0;
export const MAX_LENGTH = 20;
export const SOURCES: readonly TokenSource[] = [
  Int32Array.of(5, 2),
  Int32Array.of(3),
  Int32Array.of(6, 6, 1),
  Int32Array.of(4),
];

/** What the model of a seed thinks comes next. */
export const scoreOf = (seed: number): Score =>
  randomLogits({ seed, vocabularySize: VOCABULARY, endTokenId: END, typicalLength: 6 });

/** A model of random scores, the same for a seed. */
export const modelOf = (
  seed: number,
  supports: Partial<Autoregressive['supports']> = {},
  prompt: PromptOptions = {},
): Autoregressive =>
  scriptedModel({
    vocabularySize: VOCABULARY,
    endTokenId: END,
    maxLength: MAX_LENGTH,
    ...prompt,
    supports,
    score: scoreOf(seed),
    state: randomLogits({ seed: seed + 1000, vocabularySize: 5, endTokenId: -1 }),
  });
