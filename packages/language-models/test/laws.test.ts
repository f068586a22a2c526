import {
  hotWordModel,
  type LanguageModel,
  NgramModel,
  nextTokens,
  tokenLanguageModel,
  weightedSum,
  wordLanguageModel,
  wordListModel,
} from '@foretoken/language-models';
import { assertCode } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomBackoff, randomNgrams, randomTables, WORDS } from './random-models.js';

const PIECES = ['a', 'b', ' ', ' a', 'b a', 'x'];
const textOf = (tokenId: number): string => PIECES[tokenId];
const SIZE = PIECES.length;
const phrases = [
  { tokenIds: [0, 1], bonus: 1.5 },
  { tokenIds: [1, 0, 1], bonus: 0.5 },
  { tokenIds: [1], bonus: 0.25 },
];

const models: Readonly<Record<string, (seed: number) => LanguageModel>> = {
  trigrams: (seed) => randomNgrams(SIZE, seed),
  'trigrams without an end': (seed) => randomNgrams(SIZE, seed, -1),
  'trigrams with weights above 1': (seed) => new NgramModel(randomTables(SIZE, seed, 3), { endTokenId: 1 }),
  'n-grams of tokens': (seed) => tokenLanguageModel(randomBackoff(seed), (tokenId) => WORDS[tokenId] ?? 'other'),
  'n-grams with weights above 1': (seed) =>
    tokenLanguageModel(randomBackoff(seed, 2), (tokenId) => WORDS[tokenId] ?? ''),
  words: (seed) => wordLanguageModel(randomBackoff(seed), { textOf }),
  'words with bonuses': (seed) =>
    wordLanguageModel(randomBackoff(seed), { textOf, wordBonus: 0.5, unknownWordBonus: -3 }),
  'a list of words': () => wordListModel(['a', 'ab', 'ba', 'abba'], textOf),
  'hot words': () => hotWordModel(phrases),
  'a sum': (seed) => weightedSum([{ model: randomNgrams(SIZE, seed) }, { model: hotWordModel(phrases), weight: 0.7 }]),
  'a sum with a bound': (seed) =>
    weightedSum([{ model: randomNgrams(SIZE, seed), weight: 2 }, { model: wordListModel(['a', 'ba'], textOf) }]),
};

const outputs = fc.array(fc.nat(SIZE - 1), { maxLength: 7 });
const stateAfter = (model: LanguageModel, tokenIds: readonly number[]): unknown =>
  tokenIds.reduce((state, tokenId) => model.next(state, tokenId), model.start());

describe.each(Object.entries(models))('%s', (_, create) => {
  it('leave their states as they were, whatever is asked in between', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.array(outputs, { minLength: 2, maxLength: 4 }), (seed, all) => {
        const shared = create(seed);
        const states = all.map((tokenIds) => stateAfter(shared, tokenIds));
        for (const state of states) {
          for (let tokenId = 0; tokenId < SIZE; tokenId++) {
            shared.score(state, tokenId);
            shared.next(state, tokenId);
          }
          shared.end(state);
        }
        for (const [index, tokenIds] of all.entries()) {
          const fresh = create(seed);
          const state = stateAfter(fresh, tokenIds);
          expect(shared.end(states[index])).toBe(fresh.end(state));
          for (let tokenId = 0; tokenId < SIZE; tokenId++) {
            expect(shared.score(states[index], tokenId)).toBe(fresh.score(state, tokenId));
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('give the same as probabilities, and keep within their bound', () => {
    let above = 0;
    fc.assert(
      fc.property(fc.nat(20), outputs, (seed, tokenIds) => {
        const model = create(seed);
        const state = stateAfter(model, tokenIds);
        const next = nextTokens(model, state);
        const max = model.maxScore ?? Number.POSITIVE_INFINITY;
        expect(next.end()).toBeCloseTo(Math.exp(model.end(state)), 9);
        for (let tokenId = 0; tokenId < SIZE; tokenId++) {
          const score = model.score(state, tokenId);
          expect(next.probability(tokenId)).toBeCloseTo(Math.exp(score), 9);
          expect(score).toBeLessThanOrEqual(max);
          if (score > 0) above++;
        }
        expect(model.end(state)).toBeLessThanOrEqual(max);
      }),
      { numRuns: 200 },
    );
    // A bound is told where there is one.
    if (above > 0) expect(create(0).maxScore).not.toBe(0);
  });
});

describe('maxScore', () => {
  it.each([
    ['trigrams', 0],
    ['trigrams with weights above 1', undefined],
    ['n-grams of tokens', 0],
    ['n-grams with weights above 1', undefined],
    ['words', 0],
    ['words with bonuses', undefined],
    ['a list of words', 0],
    ['hot words', undefined],
    ['a sum', undefined],
    ['a sum with a bound', 0],
  ] as const)('of %s is %s', (name, bound) => {
    expect(models[name]?.(3).maxScore).toBe(bound);
  });

  it('of a sum is the sum of the weighted bounds', () => {
    const bounded = (maxScore: number): LanguageModel => ({
      maxScore,
      start: () => 0,
      score: () => maxScore,
      next: () => 0,
      end: () => -1,
    });
    expect(weightedSum([{ model: bounded(2), weight: 3 }, { model: bounded(-1) }]).maxScore).toBe(5);
  });
});

describe('weightedSum', () => {
  it('adds scores times weights, and does not ask what has weight 0', () => {
    fc.assert(
      fc.property(fc.nat(20), outputs, fc.nat(SIZE - 1), (seed, tokenIds, tokenId) => {
        const parts = [randomNgrams(SIZE, seed), hotWordModel(phrases)] as const;
        const never: LanguageModel = {
          start: () => 0,
          score: () => Number.NEGATIVE_INFINITY,
          next: () => 0,
          end: () => Number.NaN,
        };
        const sum = weightedSum([
          { model: parts[0], weight: 0.5 },
          { model: never, weight: 0 },
          { model: parts[1], weight: 2 },
        ]);
        const state = stateAfter(sum, tokenIds) as readonly unknown[];
        const [first, second] = parts.map((part) => stateAfter(part, tokenIds));
        const of = (ask: (model: LanguageModel, state: unknown) => number): number =>
          0.5 * ask(parts[0], first) + 2 * ask(parts[1], second);
        expect(sum.score(state, tokenId)).toBeCloseTo(
          of((model, at) => model.score(at, tokenId)),
          9,
        );
        expect(sum.end(state)).toBeCloseTo(
          of((model, at) => model.end(at)),
          9,
        );
        expect(sum.vocabularySize).toBe(SIZE);
      }),
    );
  });

  it('refuses nothing at all, and models of two vocabularies', async () => {
    await assertCode(async () => weightedSum([]), 'INVALID_ARGUMENT');
    await assertCode(
      async () => weightedSum([{ model: randomNgrams(3, 1) }, { model: randomNgrams(4, 1) }]),
      'INVALID_ARGUMENT',
    );
    await assertCode(async () => weightedSum([{ model: {} as LanguageModel }]), 'INVALID_ARGUMENT');
    await assertCode(async () => weightedSum([{ model: randomNgrams(3, 1), weight: Number.NaN }]), 'INVALID_ARGUMENT');
  });
});

describe('wordListModel', () => {
  const words = ['a', 'ab', 'ba', 'abba', 'a'];
  const model = wordListModel(words, textOf);

  it('rules out a token exactly where no words can follow from it, and a whole output that is not of words alone', () => {
    fc.assert(
      fc.property(outputs, (tokenIds) => {
        const text = tokenIds.map(textOf).join('');
        const parts = text.split(' ');
        const whole = parts.slice(0, -1).every((word) => word === '' || words.includes(word));
        const last = parts.at(-1) as string;
        let state = model.start();
        let score = 0;
        for (const tokenId of tokenIds) {
          score += model.score(state, tokenId);
          state = model.next(state, tokenId);
        }
        const possible = whole && words.some((word) => word.startsWith(last));
        expect(score).toBe(possible ? 0 : Number.NEGATIVE_INFINITY);
        if (!possible) return;
        expect(model.end(state)).toBe(last === '' || words.includes(last) ? 0 : Number.NEGATIVE_INFINITY);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses an empty list, and what are no words', async () => {
    await assertCode(async () => wordListModel([], textOf), 'INVALID_ARGUMENT');
    await assertCode(async () => wordListModel('ab' as unknown as string[], textOf), 'INVALID_ARGUMENT');
    await assertCode(async () => wordListModel(['a'], undefined as unknown as typeof textOf), 'INVALID_ARGUMENT');
  });
});
