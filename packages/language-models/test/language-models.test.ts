import {
  BackoffModel,
  type LanguageModel,
  readArpa,
  tokenLanguageModel,
  wordLanguageModel,
} from '@foretoken/language-models';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const WORDS = ['<s>', '</s>', '<unk>', 'a', 'ab', 'ba'];
const model = new BackoffModel(WORDS, [
  ...[-9, -1, -5, -2, -3, -2.5].map((logProb, word) => ({ words: [word], logProb, backoff: -0.1 * word })),
  { words: [0, 3], logProb: -0.5, backoff: -0.7 },
  { words: [3, 4], logProb: -0.25 },
  { words: [0, 3, 4], logProb: -0.125 },
]);

/** Score of a whole output, added up token by token. */
function total(languageModel: LanguageModel, tokenIds: readonly number[]): number {
  let state = languageModel.start();
  let sum = 0;
  for (const tokenId of tokenIds) {
    sum += languageModel.score(state, tokenId);
    state = languageModel.next(state, tokenId);
  }
  return sum + languageModel.end(state);
}

/** Score of a sentence, word by word. */
function sentence(words: readonly string[]): number {
  let state = model.start;
  let sum = 0;
  for (const word of words) {
    sum += model.logProb(state, model.indexOf(word));
    state = model.next(state, model.indexOf(word));
  }
  return sum + model.end(state);
}

describe('wordLanguageModel', () => {
  const pieces = ['a', 'b', ' ', ' a', 'b a', ' b ', ''];
  const textOf = (tokenId: number): string => pieces[tokenId];

  it('scores words, however tokens cut them, with a bonus for each and another for the unknown', () => {
    const languageModel = wordLanguageModel(model, { textOf, wordBonus: 0.5, unknownWordBonus: -4 });
    fc.assert(
      fc.property(fc.array(fc.nat(pieces.length - 1), { maxLength: 8 }), (tokenIds) => {
        const words = tokenIds.map(textOf).join('').split(' ').filter(Boolean);
        const unknown = words.filter((word) => !WORDS.includes(word)).length;
        expect(total(languageModel, tokenIds)).toBeCloseTo(sentence(words) + 0.5 * words.length - 4 * unknown, 9);
      }),
    );
  });

  it('knows an unknown word as soon as no word begins like it', () => {
    const languageModel = wordLanguageModel(model, { textOf, unknownWordBonus: -4 });
    const after = languageModel.next(languageModel.start(), 1);
    expect(languageModel.score(languageModel.start(), 1)).toBe(0);
    expect(languageModel.score(after, 1)).toBe(-4);
    expect(languageModel.score(languageModel.next(after, 1), 0)).toBe(0);
  });

  it('rules an unknown word out where the model has no <unk>', () => {
    const closed = wordLanguageModel(new BackoffModel(['a'], [{ words: [0], logProb: -1 }]), { textOf });
    expect(total(closed, [0])).toBe(-1);
    expect(total(closed, [1])).toBe(Number.NEGATIVE_INFINITY);
  });

  it('refuses bonuses that are no numbers', () => {
    for (const options of [{ wordBonus: Number.NaN }, { unknownWordBonus: Number.NEGATIVE_INFINITY }]) {
      expect(() => wordLanguageModel(model, { textOf, ...options })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
  });
});

describe('tokenLanguageModel', () => {
  it('scores tokens by their names', () => {
    const names = ['ab', 'a', 'other'];
    const languageModel = tokenLanguageModel(model, (tokenId) => names[tokenId]);
    fc.assert(
      fc.property(fc.array(fc.nat(2), { maxLength: 6 }), (tokenIds) => {
        expect(total(languageModel, tokenIds)).toBeCloseTo(sentence(tokenIds.map((id) => names[id])), 9);
      }),
    );
  });

  it('takes a model read from ARPA text', () => {
    const arpa = '\\data\\\nngram 1=2\n\n\\1-grams:\n-1 x\n-0.5 </s>\n\n\\end\\\n';
    const languageModel = tokenLanguageModel(readArpa(arpa), () => 'x');
    expect(total(languageModel, [3, 4])).toBeCloseTo(-2.5 * Math.LN10, 9);
  });
});
