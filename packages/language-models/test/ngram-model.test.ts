import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NgramModel } from '../src/index.js';

const SIZE = 6;

/** A random back-off model, and the same as a plain dictionary. */
const tables = fc
  .record({
    pairs: fc.uniqueArray(fc.tuple(fc.nat(SIZE - 1), fc.nat(SIZE - 1)), { selector: String, maxLength: 12 }),
    triples: fc.uniqueArray(fc.tuple(fc.nat(SIZE - 1), fc.nat(SIZE - 1), fc.nat(SIZE - 1)), {
      selector: String,
      maxLength: 12,
    }),
    seed: fc.nat(100),
  })
  .map(({ pairs, triples, seed }) => {
    const value = (index: number): number => 0.1 + ((index * 7 + seed) % 8) / 10;
    return {
      pairs,
      triples,
      model: new NgramModel(
        {
          unigramProbability: Float32Array.from({ length: SIZE }, (_, id) => value(id)),
          unigramBackoff: Float32Array.from({ length: SIZE }, (_, id) => value(id + 1)),
          bigramIds: Int32Array.from(pairs.flat()),
          bigramProbability: Float32Array.from(pairs, (_, row) => (row % 3 === 2 ? 0 : value(row + 2))),
          bigramBackoff: Float32Array.from(pairs, (_, row) => value(row + 3)),
          trigramIds: Int32Array.from(triples.flat()),
          trigramProbability: Float32Array.from(triples, (_, row) => value(row + 4)),
        },
        { endTokenId: 0 },
      ),
      value,
    };
  });

describe('NgramModel', () => {
  it('backs off as a dictionary would', () => {
    fc.assert(
      fc.property(tables, ({ pairs, triples, model, value }) => {
        const pair = (a: number, b: number): number => pairs.findIndex(([x, y]) => x === a && y === b);
        const bigram = (last: number, id: number): number => {
          const row = pair(last, id);
          return row >= 0 && row % 3 !== 2 ? value(row + 2) : value(last + 1) * value(id);
        };
        for (let a = 0; a < SIZE; a++) {
          for (let b = 0; b < SIZE; b++) {
            for (let c = 0; c < SIZE; c++) {
              const row = triples.findIndex(([x, y, z]) => x === a && y === b && z === c);
              const history = pair(a, b);
              const expected = row >= 0 ? value(row + 4) : (history >= 0 ? value(history + 3) : 1) * bigram(b, c);
              expect(model.probability(a, b, c)).toBeCloseTo(expected, 5);
            }
          }
        }
      }),
    );
  });

  it('walks by the last two tokens, from what stands before the first', () => {
    fc.assert(
      fc.property(tables, fc.array(fc.nat(SIZE - 1), { maxLength: 6 }), fc.nat(SIZE - 1), ({ model }, output, next) => {
        const state = output.reduce((before, tokenId) => model.next(before, tokenId), model.start());
        const [before, last] = [SIZE - 1, SIZE - 1, ...output].slice(-2) as [number, number];
        expect(model.score(state, next)).toBe(Math.log(model.probability(before, last, next)));
        expect(model.end(state)).toBe(Math.log(model.probability(before, last, 0)));
      }),
    );
  });

  it('refuses arrays that disagree and ids outside the vocabulary', () => {
    const good = {
      unigramProbability: new Float32Array(3),
      unigramBackoff: new Float32Array(3),
      bigramIds: Int32Array.of(0, 1),
      bigramProbability: new Float32Array(1),
      bigramBackoff: new Float32Array(1),
      trigramIds: Int32Array.of(0, 1, 2),
      trigramProbability: new Float32Array(1),
    };
    const none = { endTokenId: -1 };
    expect(new NgramModel(good, none).vocabularySize).toBe(3);
    expect(() => new NgramModel({ ...good, unigramBackoff: new Float32Array(2) }, none)).toThrow(/disagree/);
    expect(() => new NgramModel({ ...good, bigramIds: Int32Array.of(0) }, none)).toThrow(/disagree/);
    expect(() => new NgramModel({ ...good, trigramIds: Int32Array.of(0, 1, 3) }, none)).toThrow(/outside/);
    expect(() => new NgramModel({ ...good, bigramIds: Int32Array.of(-1, 0) }, none)).toThrow(/outside/);
  });
});
