import { collect, type DecodeEvent } from '@foretoken/core';
import { levenshtein, maskCtc, maskPredict } from '@foretoken/refine';
import { eventsOf, logSoftmax, outputsOf, scriptedEditModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import {
  deleteTokens,
  edited,
  fillPlaceholders,
  insertPlaceholders,
  isDeletable,
  outputOf,
} from '../src/edited-canvas.js';
import { RefinedCanvas } from '../src/refined-canvas.js';
import { fillsOf, LETTERS, MASK, tableModel, toText } from './table-model.js';

const SOURCES = [Int32Array.of(1)];
const V = LETTERS.length;

describe('rounds', () => {
  const lengths = (...shares: readonly number[]) => shares.map(Math.log);

  it('rank the earlier of equal candidates first, the more probable length', async () => {
    const table = { __: 'a50 b50', ___: 'c50 d50 e50' };
    for (const [shares, expected] of [
      [lengths(0, 0, 0.6, 0.4), 'ab'],
      [lengths(0, 0, 0.4, 0.6), 'cde'],
    ] as const) {
      const model = tableModel(table, { lengths: () => shares });
      const { results } = await collect(
        maskPredict({ lengthBeam: 2, iterations: 1 }).decode(model, { sources: SOURCES }),
      );
      expect(toText(results[0].best.tokenIds)).toBe(expected);
    }
  });

  it('show a row after each of its forwards, and what is cut only at its end', async () => {
    const model = tableModel({ ____: 'a90 b30 c80 d40', a_c_: 'g9 e50 g9 .60' });
    const events = await eventsOf(
      maskPredict({ length: 4, iterations: 2 }).decode(model, { sources: SOURCES, maxNewTokens: 2 }),
    );
    const kinds = events.map((event: DecodeEvent) =>
      'tokenIds' in event ? `${event.type} ${toText(event.tokenIds)}` : event.type,
    );
    expect(kinds).toEqual(['canvas-revise abcd', 'canvas-revise ae', 'token-commit ae', 'decode-end']);
  });

  it('sum log-probabilities up to the end token and with it, or up to a cut', async () => {
    const table = { ____: 'a90 b80 .70 d10' };
    const decode = async (more: object) => {
      const { results } = await collect(
        maskPredict({ length: 4, iterations: 1 }).decode(tableModel(table), { sources: SOURCES, ...more }),
      );
      return results[0].best;
    };
    expect((await decode({})).logProb).toBeCloseTo(Math.log(0.9 * 0.8 * 0.7), 5);
    expect((await decode({ maxNewTokens: 2 })).logProb).toBeCloseTo(Math.log(0.9 * 0.8), 5);
    expect((await decode({ maxNewTokens: 1 })).logProb).toBeCloseTo(Math.log(0.9), 5);
  });
});

describe('a canvas under edits', () => {
  const START = 7;
  const canvasOf = (output: readonly number[], given = 0) =>
    edited({ tokenIds: Int32Array.from(output) }, given, START, 0);
  const logOf = (...probabilities: readonly number[]) => Float32Array.from(probabilities, Math.log);

  it.each([0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99])(
    'keeps a token that is deleted with a probability of just %d',
    (threshold) => {
      const at = Math.fround(Math.log(threshold));
      const above = new Float32Array(new Uint32Array(Float32Array.of(at).buffer).map((bits) => bits - 1).buffer)[0];
      expect(above).toBeGreaterThan(at);
      const deletions = Float32Array.of(0, at, above, 0);
      const { tokenIds, origins } = deleteTokens(0, canvasOf([1, 2]), deletions, threshold);
      expect([[...tokenIds], [...origins]]).toEqual([
        [START, 1, 0],
        [0, 1, 3],
      ]);
    },
  );

  it('deletes neither boundaries nor what was given, and asks only where something else is', () => {
    const canvas = canvasOf([1, 2, 3], 2);
    expect([...deleteTokens(0, canvas, logOf(1, 1, 1, 1, 1), 0).tokenIds]).toEqual([START, 1, 2, 0]);
    expect([0, 1, 2, 3].map((given) => isDeletable(canvasOf([1, 2, 3], given)))).toEqual([true, true, true, false]);
    expect(isDeletable(canvasOf([]))).toBe(false);
    expect(() => deleteTokens(0, canvas, logOf(1, 1, 1, 1), 0.5)).toThrow(
      expect.objectContaining({ code: 'RUNTIME_FAILURE' }),
    );
  });

  it('opens gaps from the left while there is room, none before or among given tokens, all after the last', () => {
    const insert = (given: number, counts: readonly number[], maxLength: number, perGap = 9) => {
      const room = { placeholderTokenId: 8, maxLength, perGap };
      const { tokenIds, origins } = insertPlaceholders(0, canvasOf([1, 2], given), Int32Array.from(counts), room);
      return [[...tokenIds].join(''), [...origins].join(' ')];
    };
    expect(insert(0, [1, 2, 1], 20)).toEqual(['78188280', '0 -1 1 -1 -1 2 -1 3']);
    expect(insert(0, [3, 3, 3], 8)[0]).toBe('78881820');
    expect(insert(0, [3, 3, 3], 4)[0]).toBe('7120');
    expect(insert(0, [3, 3, 3], 20, 2)[0]).toBe('7881882880');
    expect(insert(1, [1, 1, 1], 20)[0]).toBe('718280');
    expect(insert(2, [1, 1, 1], 20)[0]).toBe('71280');
    const canvas = canvasOf([1]);
    const room = { placeholderTokenId: 8, maxLength: 9, perGap: 9 };
    for (const counts of [[1], [1, 1, 1], [-1, 0]]) {
      expect(() => insertPlaceholders(0, canvas, Int32Array.from(counts), room)).toThrow(
        expect.objectContaining({ code: 'RUNTIME_FAILURE' }),
      );
    }
  });

  it('fills placeholders alone, and knows the probability of what it filled', () => {
    const opened = insertPlaceholders(0, canvasOf([1]), Int32Array.of(0, 1), {
      placeholderTokenId: 8,
      maxLength: 9,
      perGap: 9,
    });
    const proposal = { tokenIds: Int32Array.of(5, 5, 5, 5), logProbs: Float32Array.of(-1, -2, -3, -4) };
    const filled = fillPlaceholders(0, opened, proposal, 8);
    expect([...filled.tokenIds]).toEqual([START, 1, 5, 0]);
    expect([...filled.logProbs]).toEqual([NaN, NaN, -3, NaN]);
    expect([...outputOf(opened).origins]).toEqual([0, -1]);
    expect([...outputOf(filled).origins]).toEqual([0, 1]);
  });

  it('starts from a text that fills all positions, which then is only deleted from', async () => {
    const model = (deleted: number) =>
      scriptedEditModel({
        vocabularySize: 9,
        startTokenId: START,
        endTokenId: 0,
        placeholderTokenId: 8,
        maxLength: 5,
        deletions: (_, canvas) => Float32Array.from(canvas, (tokenId) => (tokenId === deleted ? 0.9 : 0.1)),
        placeholders: (_, canvas) => new Int32Array(canvas.length - 1),
        score: () => logSoftmax([0, 1, 0, 0, 0, 0, 0, -9, -9]),
      });
    const request = { sources: SOURCES, initialOutputs: [Int32Array.of(1, 2, 3)] };
    const full = model(6);
    expect(outputsOf(await collect(levenshtein().decode(full, request)))).toEqual([[1, 2, 3]]);
    expect(full.calls.map(({ call }) => call)).toEqual(['open', 'deletions', 'dispose']);
    const shorter = model(2);
    expect(outputsOf(await collect(levenshtein().decode(shorter, request)))).toEqual([[1, 3]]);
    const calls = shorter.calls.map(({ call }) => call);
    expect(calls).toEqual(['open', 'deletions', 'placeholders', 'deletions', 'placeholders', 'dispose']);
  });
});

describe('maskCtc', () => {
  /** A search whose outputs have these tokens and probabilities. */
  const fixed = (tokenIds: readonly number[], probabilities: readonly number[]) => ({
    lattice: {
      vocabulary: { size: V, endTokenId: 0 },
      supports: { kind: 'ctc' as const, maxCandidates: 1 },
      emit: async () => [],
    },
    search: {
      name: 'fixed',
      requires: { model: 'lattice' as const, kinds: ['ctc' as const], candidates: 1 },
      async *decode(): AsyncGenerator<DecodeEvent> {
        const logProbs = Float32Array.from(probabilities, Math.log);
        yield { type: 'canvas-revise', row: 0, tokenIds: Int32Array.from(tokenIds), logProbs, atMs: 0 };
      },
    },
  });

  it.each([0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99])('keeps tokens of a probability of just %d', async (threshold) => {
    const model = tableModel({ a_: 'g9 c90' });
    const initial = fixed([1, 2], [threshold, threshold - 1e-6]);
    const { results } = await collect(maskCtc({ initial, threshold }).decode(model, { sources: SOURCES }));
    expect(toText(results[0].best.tokenIds)).toBe('ac');
  });

  it('masks a mask in the output it starts from, however sure, and decides the surest share in each forward', async () => {
    const model = tableModel({
      a____: 'g9 b50 c90 d50 e80', // of four, two
      a_c_e: 'g9 f70 g9 d60 g9', // of two, one, the earlier of equals would be the first
      afc_e: 'g9 g9 g9 b90 g9',
    });
    const initial = fixed([1, MASK, 2, 2, 2], [0.9, 1, 0.1, 0.1, 0.1]);
    const { results } = await collect(maskCtc({ initial, iterations: 3 }).decode(model, { sources: SOURCES }));
    expect(fillsOf(model)).toEqual([['a____'], ['a_c_e'], ['afc_e']]);
    expect(toText(results[0].best.tokenIds)).toBe('afcbe');
  });
});

describe('a decision about several positions', () => {
  it('changed the canvas where any of them is new, whichever comes last', () => {
    const logProbs = new Float32Array(3);
    const decided = (tokenIds: readonly number[], positions: readonly number[]): boolean => {
      const canvas = new RefinedCanvas(Int32Array.of(), 3, MASK);
      canvas.decide([0, 1, 2], { tokenIds: Int32Array.of(3, 4, 5), logProbs });
      return canvas.decide(positions, { tokenIds: Int32Array.from(tokenIds), logProbs });
    };
    expect(decided([3, 4, 5], [0, 1, 2])).toBe(false);
    for (const changed of [0, 1, 2]) {
      const tokenIds = [3, 4, 5].map((tokenId, position) => (position === changed ? 6 : tokenId));
      expect(decided(tokenIds, [0, 1, 2])).toBe(true);
      expect(decided(tokenIds, [2, 1, 0])).toBe(true);
      expect(
        decided(
          tokenIds,
          [0, 1, 2].filter((position) => position !== changed),
        ),
      ).toBe(false);
    }
  });
});
