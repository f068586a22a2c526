import { collect } from '@foretoken/core';
import { easyFirst, skeletonFirst } from '@foretoken/refine';
import { randomCanvasScore, scriptedCanvasModel } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { referenceEasyFirst } from './references.js';
import { fillsOf, MASK, tableModel, toText } from './table-model.js';

const SOURCES = [Int32Array.of(1)];

describe('easyFirst', () => {
  it('predicts each position from easier ones alone, again where one of them changed', async () => {
    const model = tableModel({
      ___: 'a50 b90 c20', // b is easier than a, a easier than c
      _b_: 'd60 g9 g9', // what a sees: now d
      ab_: 'g9 g9 e70', // what c sees: now e
      db_: 'g9 g9 f80', // in the next iteration c sees d
    });
    const { results, statistics } = await collect(easyFirst({ length: 3 }).decode(model, { sources: SOURCES }));
    // The third iteration asks for c alone; it changed, but nothing is harder than it.
    expect(fillsOf(model)).toEqual([['___'], ['_b_', 'ab_'], ['db_']]);
    expect(statistics.forwards).toBe(3);
    expect(toText(results[0].hypotheses[0].tokenIds)).toBe('dbf');
    expect(results[0].hypotheses[0].logProb).toBeCloseTo(Math.log(0.6 * 0.9 * 0.8), 5);
  });

  it('gives the positions of a group one context', async () => {
    const model = tableModel({ ____: 'a50 b90 c20 d80', _b_d: 'e60 g9 f60 g9' });
    const { results } = await collect(easyFirst({ length: 4, levels: 2 }).decode(model, { sources: SOURCES }));
    expect(fillsOf(model)).toEqual([['____'], ['_b_d']]);
    expect(toText(results[0].hypotheses[0].tokenIds)).toBe('ebfd');
  });

  it('agrees with recomputing everything in every iteration', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1e6),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 9 }),
        async (seed, length, iterations) => {
          const score = randomCanvasScore({ seed, vocabularySize: 9, never: [0] });
          const model = scriptedCanvasModel({ vocabularySize: 9, score });
          const { results } = await collect(easyFirst({ length, iterations }).decode(model, { sources: SOURCES }));
          const expected = referenceEasyFirst({ score, source: SOURCES[0], mask: MASK }, length, iterations);
          expect([...results[0].hypotheses[0].tokenIds]).toEqual(expected);
          // The easiest n positions are final after n iterations.
          expect(model.forwards).toBeLessThanOrEqual(Math.min(iterations, length));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('refuses options out of range and such as have no effect', () => {
    const ignored = [
      { iterations: 1, levels: 3 },
      { iterations: 5, levels: 1 },
    ];
    for (const options of [{ iterations: 0 }, { levels: 0 }, { levels: 1.5 }, ...ignored]) {
      expect(() => easyFirst(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
  });
});

describe('skeletonFirst', () => {
  it('keeps the most confident share, fills around it and revises it', async () => {
    const model = tableModel({
      ____: 'a90 b30 c80 d40', // the skeleton: a and c
      a_c_: 'g9 e50 g9 f60',
      _e_f: 'a70 g9 d80 g9',
    });
    const decoder = skeletonFirst({ length: 4, revise: true });
    const { results } = await collect(decoder.decode(model, { sources: SOURCES }));
    expect(fillsOf(model)).toEqual([['____'], ['a_c_'], ['_e_f']]);
    expect(toText(results[0].hypotheses[0].tokenIds)).toBe('aedf');
    expect(results[0].hypotheses[0].score).toBeCloseTo(Math.log(0.7 * 0.5 * 0.8 * 0.6) / 4, 5);
  });

  it('makes its skeleton of content tokens and fills the rest in as many forwards as told', async () => {
    const model = tableModel({
      ____: 'a90 b30 c80 d40', // of the content tokens c and d, both: half of four
      __cd: 'a60 e70 g9 g9', // e is surer and stays
      _ecd: 'f90 g9 g9 g9',
    });
    const content = (tokenId: number): boolean => tokenId >= 3;
    const decoder = skeletonFirst({ length: 4, content, iterations: 2 });
    const { results } = await collect(decoder.decode(model, { sources: SOURCES }));
    expect(fillsOf(model)).toEqual([['____'], ['__cd'], ['_ecd']]);
    expect(toText(results[0].hypotheses[0].tokenIds)).toBe('fecd');
  });

  it('is a one-shot fill where all is skeleton', async () => {
    const model = tableModel({ __: 'a90 b30' });
    const decoder = skeletonFirst({ length: 2, share: 1, content: () => true, revise: true });
    const { results, statistics } = await collect(decoder.decode(model, { sources: SOURCES }));
    expect(toText(results[0].hypotheses[0].tokenIds)).toBe('ab');
    expect(statistics.forwards).toBe(1);
  });

  it('refuses options out of range and such as have no effect', () => {
    const ignored = [0, 1].map((share) => ({ share, revise: true }));
    for (const options of [{ share: -0.1 }, { share: Number.NaN }, { iterations: 0 }, ...ignored]) {
      expect(() => skeletonFirst(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
  });
});
