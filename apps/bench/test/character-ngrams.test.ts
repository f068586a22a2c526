import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { characterNgrams } from '../src/models/character-ngrams.js';

const CLASSES = 50;

describe('n-grams of characters', () => {
  it('give each history probabilities that add up to 1', () => {
    const texts = fc.array(fc.string({ unit: fc.constantFrom(...'ab c.'), minLength: 1, maxLength: 12 }), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 4 }), (learnt, order) => {
        const model = characterNgrams(learnt, order, CLASSES);
        const known = [...new Set(learnt.join('')), '</s>'];
        for (const text of ['', 'a', 'ab', ...learnt]) {
          const state = [...text].reduce((at, word) => model.next(at, model.indexOf(word)), model.start);
          const sum = known.reduce((mass, word) => mass + Math.exp(model.logProb(state, model.indexOf(word))), 0);
          const unknown = Math.exp(model.logProb(state, model.indexOf('z')));
          expect(sum + (CLASSES - known.length) * unknown).toBeCloseTo(1, 9);
        }
      }),
      { seed: 7, numRuns: 50 },
    );
  });

  it('prefer what follows in the texts', () => {
    const model = characterNgrams(['the hat', 'the cat'], 3, CLASSES);
    const after = [...'th'].reduce((at, word) => model.next(at, model.indexOf(word)), model.start);
    expect(model.logProb(after, model.indexOf('e'))).toBeGreaterThan(model.logProb(after, model.indexOf('a')));
    expect(model.end(after)).toBeLessThan(model.logProb(after, model.indexOf('e')));
  });
});
