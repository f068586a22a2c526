import {
  assertSameVocabulary,
  hotWordModel,
  type LanguageModel,
  languageModelOption,
} from '@foretoken/language-models';
import { describe, expect, it } from 'vitest';
import { randomNgrams } from './random-models.js';

const model: LanguageModel<number> = {
  start: () => 0,
  score: () => -1,
  next: (state, tokenId) => state + tokenId,
  end: () => -2,
};
const read = (value: unknown) => languageModelOption('languageModel', value);

describe('languageModelOption', () => {
  it('takes a model with a weight or without', () => {
    expect(read({ model }).weight).toBeUndefined();
    expect(read({ model, weight: 0 }).weight).toBe(0);
    const ngrams = randomNgrams(4, 1);
    expect(read({ model: ngrams, weight: 2 })).toEqual({ model: ngrams, weight: 2 });
    // Not by its class: another copy of this package has another one.
    expect(read({ model: { ...model, vocabularySize: 4, maxScore: 0 } }).model).toMatchObject({
      vocabularySize: 4,
      maxScore: 0,
    });
  });

  it.each([
    [model, '{ model, weight }'],
    [randomNgrams(4, 1), '{ model, weight }'],
    [{ weight: 1 }, 'languageModel.model'],
    [{ model: {} }, 'start, score, next and end'],
    [{ model: async () => model }, 'start, score, next and end'],
    [{ model, weight: -1 }, 'languageModel.weight'],
    [{ model, weight: '1' }, 'languageModel.weight'],
    [{ model, weight: Number.POSITIVE_INFINITY }, 'languageModel.weight'],
    [{ model, wieght: 1 }, 'weight?'],
    [{ model: { ...model, maxScore: Number.NaN } }, 'languageModel.model.maxScore'],
    [{ model: { ...model, vocabularySize: 2.5 } }, 'languageModel.model.vocabularySize'],
    [{ model: { ...model, distribution: 1 } }, 'languageModel.model.distribution'],
    [undefined, 'plain object'],
    [null, 'plain object'],
    [[model], 'plain object'],
  ])('refuses what is none, and says what is required: %#', (value, said) => {
    expect(() => read(value)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(said) }),
    );
  });

  it('names the method that answers with a promise, or with no number', () => {
    const { model: guarded } = read({
      model: {
        start: async () => 0,
        score: async () => 0,
        next: async () => 0,
        end: () => '0',
        distribution: () => ({ probability: () => '1', end: async () => 1 }),
      },
    });
    const next = guarded.distribution?.(0);
    expect(() => guarded.start()).toThrow(/languageModel\.model\.start/);
    expect(() => guarded.score(0, 1)).toThrow(/languageModel\.model\.score/);
    expect(() => guarded.next(0, 1)).toThrow(/languageModel\.model\.next/);
    expect(() => guarded.end(0)).toThrow(/languageModel\.model\.end/);
    expect(() => next?.probability(1)).toThrow(/distribution/);
    expect(() => next?.end()).toThrow(/distribution/);
    const { model: none } = read({ model: { ...model, distribution: async () => ({}) } });
    expect(() => none.distribution?.(0)).toThrow(/probability and end/);
  });
});

describe('assertSameVocabulary', () => {
  it('lets pass what takes any token, and refuses another number of tokens', () => {
    assertSameVocabulary('languageModel.model', hotWordModel([{ tokenIds: [1], bonus: 1 }]), 5);
    assertSameVocabulary('languageModel.model', randomNgrams(5, 1), 5);
    for (const size of [4, 6, 50]) {
      expect(() => assertSameVocabulary('languageModel.model', randomNgrams(5, 1), size)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('5 tokens') }),
      );
    }
  });
});
