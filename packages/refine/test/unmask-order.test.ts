import { collect, type LogProbsPrediction, type TopKPrediction } from '@foretoken/core';
import { RandomStream } from '@foretoken/core/kit';
import { easyFirst, maskedDiffusion } from '@foretoken/refine';
import { outputsOf, randomCanvasScore, scriptedCanvasModel } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundedCount, entropyOf, outputFor, type Proposing, propose, type UnmaskOrder } from '../src/unmask-order.js';
import { referenceEasyFirst } from './references.js';
import { fillsOf, LETTERS, MASK, tableModel, toText } from './table-model.js';

const SOURCES = [Int32Array.of(1)];
const V = LETTERS.length;

/** Runs a generator that yields on its way to a value. */
function resultOf<Value>(steps: Generator<unknown, Value>): Value {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

describe('which positions are decided first', () => {
  const proposing = (order: UnmaskOrder, temperature = 0, seed = 1): Proposing => ({
    order,
    temperature,
    stream: new RandomStream(seed, SOURCES[0]),
    maskTokenId: MASK,
    vocabularySize: V,
  });
  /** Log-probabilities of each position, from probabilities of a, b, c and the mask. */
  const predictionOf = (rows: readonly (readonly number[])[]): LogProbsPrediction => ({
    row: 0,
    kind: 'logProbs',
    logProbs: Float32Array.from(
      rows.flatMap(([a = 0, b = 0, c = 0, mask = 0]) =>
        [...LETTERS].map((letter) => Math.log({ a, b, c, _: mask }[letter] ?? 0)),
      ),
    ),
  });
  const easeOf = (order: UnmaskOrder, rows: readonly (readonly number[])[]): number[] => [
    ...resultOf(propose(predictionOf(rows), rows.length, [...rows.keys()], 0, proposing(order, 1e-9))).ease,
  ];

  it('takes no account of the mask where the first and the second are compared', () => {
    const k = 3;
    const best: TopKPrediction = {
      row: 0,
      kind: 'topK',
      k,
      // Mask, a, b; a, mask, b; a, b, mask.
      tokenIds: Int32Array.of(MASK, 1, 2, 1, MASK, 2, 1, 2, MASK),
      logProbs: Float32Array.of(0.6, 0.3, 0.1, 0.5, 0.3, 0.2, 0.5, 0.4, 0.1).map(Math.log),
    };
    const { ease, tokenIds } = resultOf(propose(best, best.tokenIds.length / k, [0, 1, 2], 0, proposing('margin')));
    expect([...tokenIds]).toEqual([1, 1, 1]);
    for (const [position, margin] of [0.2, 0.3, 0.1].entries()) expect(ease[position]).toBeCloseTo(margin, 6);
    const drawn = easeOf('margin', [
      [0.3, 0.1, 0, 0.6],
      [0.5, 0.2, 0, 0.3],
      [0.5, 0.4, 0, 0.1],
    ]);
    for (const [position, margin] of [0.2, 0.3, 0.1].entries()) expect(drawn[position]).toBeCloseTo(margin, 6);
  });

  it('measures entropy of what is left without the mask, and none where nothing is', () => {
    const [even, sure, none] = easeOf('entropy', [
      [0.25, 0.25, 0, 0.5],
      [0.1, 0, 0, 0.9],
      [0, 0, 0, 1],
    ]);
    expect(even).toBeCloseTo(-Math.log(2), 6);
    expect(sure).toBeCloseTo(0, 6);
    expect(none).toBe(-Infinity);
    expect(entropyOf(new Float32Array(5).fill(3))).toBeCloseTo(Math.log(5), 6);
    expect(entropyOf(new Float32Array(2).fill(-Infinity))).toBe(0);
  });

  it('asks for no more than the order and the temperature need', () => {
    expect(outputFor('confidence', 0)).toEqual({ kind: 'topK', k: 2 });
    expect(outputFor('left-to-right', 0)).toEqual({ kind: 'topK', k: 2 });
    expect(outputFor('random', 0)).toEqual({ kind: 'topK', k: 2 });
    expect(outputFor('margin', 0)).toEqual({ kind: 'topK', k: 3 });
    for (const order of ['entropy', 'entropy-bounded'] as const)
      expect(outputFor(order, 0)).toEqual({ kind: 'logProbs' });
    for (const order of ['confidence', 'margin', 'random'] as const) {
      expect(outputFor(order, 0.1)).toEqual({ kind: 'logProbs' });
    }
  });

  it.each([
    [[1, 1, 1], 0, 1],
    [[1, 1, 1], 0.999, 1],
    [[1, 1, 1], 1, 2],
    [[1, 1, 1], 2, 3],
    [[0, 0, 0, 5], 0, 4],
    [[0, 0, 5, 5], 0, 3],
    [[5], 0, 1],
    [[], 1, 0],
  ])('decides of entropies %j with a bound of %d together: %d', (entropies, bound, count) => {
    expect(boundedCount(entropies, bound)).toBe(count);
  });

  it('draws tokens and order with numbers of their own, new ones in each forward', () => {
    const rows = Array.from({ length: 40 }, () => [0.3, 0.3, 0.4]);
    const positions = [...rows.keys()];
    const run = (order: UnmaskOrder, temperature: number, forward = 0) =>
      resultOf(propose(predictionOf(rows), rows.length, positions, forward, proposing(order, temperature)));
    expect(run('random', 1).tokenIds).toEqual(run('left-to-right', 1).tokenIds);
    expect(run('random', 1).tokenIds).not.toEqual(run('random', 1, 1).tokenIds);
    expect(run('random', 1).ease).not.toEqual(run('random', 1, 1).ease);
    expect(run('random', 1).ease).toEqual(run('random', 2).ease);
    // Were the numbers the same, the earliest would all be a.
    const { tokenIds, ease } = run('random', 1);
    const earliest = positions.sort((a, b) => ease[a] - ease[b]).slice(0, 12);
    expect(new Set(earliest.map((position) => tokenIds[position])).size).toBeGreaterThan(1);
    // Log-probabilities are the model's own, whatever the temperature.
    for (const [position, tokenId] of run('random', 5).tokenIds.entries()) {
      expect(run('random', 5).logProbs[position]).toBeCloseTo(Math.log(rows[position][tokenId - 1]), 5);
    }
  });

  it('takes the earlier of equal positions first, in every order', async () => {
    for (const order of ['confidence', 'margin', 'entropy'] as const) {
      const model = tableModel({ ___: 'a50 b50 c50', a__: 'g9 b50 c50', ab_: 'g9 g9 c50' });
      const { results } = await collect(maskedDiffusion({ length: 3, order }).decode(model, { sources: SOURCES }));
      expect([order, toText(results[0].best.tokenIds)]).toEqual([order, 'abc']);
    }
  });
});

describe('easyFirst in levels', () => {
  it('makes levels of nearly equal size, the larger ones last', async () => {
    const table = { _______: 'a90 b80 c70 d60 e50 f40 g30' };
    const model = tableModel({ ...table, ab_____: 'a9 a9 c70 d60 a9 a9 a9', abcd___: 'a9 a9 a9 a9 e50 f40 g30' });
    await collect(easyFirst({ length: 7, levels: 3 }).decode(model, { sources: SOURCES }));
    expect(fillsOf(model).slice(0, 2)).toEqual([['_______'], ['ab_____', 'abcd___']]);
  });

  it('agrees with recomputing everything in every iteration, whatever the number of levels', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1e6),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 2, max: 8 }),
        fc.integer({ min: 2, max: 9 }),
        async (seed, length, levels, iterations) => {
          const score = randomCanvasScore({ seed, vocabularySize: 9, never: [0] });
          const model = scriptedCanvasModel({ vocabularySize: 9, score });
          const end = await collect(easyFirst({ length, levels, iterations }).decode(model, { sources: SOURCES }));
          const scored = { score, source: SOURCES[0], mask: MASK };
          expect(outputsOf(end)).toEqual([referenceEasyFirst(scored, length, iterations, levels)]);
        },
      ),
      { numRuns: 60, seed: 3 },
    );
  });
});
