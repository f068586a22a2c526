import { collect, type Lattice, type LatticeModel, type TokenSource } from '@foretoken/core';
import { MAX_FORWARD_CELLS } from '@foretoken/core/kit';
import {
  canvasDisagreement,
  diagnose,
  latticeDisagreement,
  lengthStatistics,
  nat,
  repetitionStatistics,
} from '@foretoken/one-shot';
import { type CanvasScore, randomCanvasScore, ranked, scriptedCanvasModel } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dagLattice, randomDag } from './dag-scripted.js';
import { fillsOf, tableModel, toTokens } from './nat-scripted.js';

const tokens = (...rows: readonly string[]): Int32Array[] => rows.map(toTokens);

describe('repetitionStatistics', () => {
  it('counts tokens that equal the one before, and outputs with a bigram twice', () => {
    // Repeated tokens: b, and c twice, of 12; abab has ab twice, ccc has cc twice, abba has none twice.
    expect(repetitionStatistics(tokens('abab', 'ccc', 'abba', 'd'))).toEqual({
      repeatedTokens: 3 / 12,
      repeatedBigrams: 2 / 4,
    });
    expect(repetitionStatistics([])).toEqual({ repeatedTokens: 0, repeatedBigrams: 0 });
    expect(repetitionStatistics(tokens('', 'a'))).toEqual({ repeatedTokens: 0, repeatedBigrams: 0 });
    // Two bigrams of the same digits are not the same bigram.
    expect(
      repetitionStatistics([
        [1, 11, 1],
        [11, 1, 11],
      ]).repeatedBigrams,
    ).toBe(0);
    expect(repetitionStatistics([[1, 11, 11, 1]]).repeatedBigrams).toBe(0);
  });
});

describe('lengthStatistics', () => {
  it('compares with one reference each', () => {
    expect(lengthStatistics(tokens('ab', 'abcd'), tokens('abcd', 'abc'))).toEqual({
      meanDifference: -0.5,
      meanAbsoluteDifference: 1.5,
      ratio: 6 / 7,
    });
    expect(lengthStatistics(tokens('a'), tokens('')).ratio).toBe(Number.POSITIVE_INFINITY);
    expect(() => lengthStatistics(tokens('a'), [])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => lengthStatistics([], [])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('canvasDisagreement', () => {
  it('counts the positions that would change if all others were decided', async () => {
    // Two ways to say it, ab and cd, of which one-shot decoding mixes a and d: each would follow its neighbour.
    const table = { __: 'a60c40 b40d60', _d: 'c90 g9', a_: 'g9 b90', _b: 'a90 g9' };
    const model = tableModel(table);
    const sources = [Int32Array.of(1)];
    const { results } = await collect(nat({ length: 2 }).decode(model, { sources }));
    expect(results[0].hypotheses[0].tokenIds).toEqual(toTokens('ad'));
    expect(await canvasDisagreement(model, sources, tokens('ad'))).toEqual({ positions: 2, changed: 2, share: 1 });
    expect(await canvasDisagreement(model, sources, tokens('ab'))).toEqual({ positions: 2, changed: 0, share: 0 });
    expect(fillsOf(model)).toEqual([['__'], ['_d', 'a_'], ['_b', 'a_']]);
    expect(model.stillOpen).toBe(0);
  });

  /** Asks for each position on its own. */
  function changedOneByOne(
    score: CanvasScore,
    sources: readonly TokenSource[],
    rows: readonly number[][],
    end: number[],
  ) {
    let changed = 0;
    for (const [row, output] of rows.entries()) {
      for (const [position, chosen] of output.entries()) {
        const canvas = Int32Array.of(...output, ...end);
        canvas[position] = 7;
        if (ranked(score(sources[row], canvas, position)).find((id) => id !== 7) !== chosen) changed++;
      }
    }
    return changed;
  }

  it('agrees with asking for each position on its own', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1e6),
        fc.array(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 8 }), { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (seed, rows, withEndToken) => {
          const score = randomCanvasScore({ seed, vocabularySize: 8, never: [] });
          const model = scriptedCanvasModel({ vocabularySize: 8, score });
          const sources = rows.map((_, row) => Int32Array.of(1 + (row % 3)));
          const outputs = rows.map((output) => Int32Array.from(output));
          expect(await canvasDisagreement(model, sources, outputs, { withEndToken })).toMatchObject({
            positions: rows.reduce((sum, { length }) => sum + length, 0),
            changed: changedOneByOne(score, sources, rows, withEndToken ? [0] : []),
          });
          expect(model.stillOpen).toBe(0);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('cuts a large set into sessions and forwards of bounded size', async () => {
    const score = randomCanvasScore({ seed: 4, vocabularySize: 8 });
    const model = scriptedCanvasModel({ vocabularySize: 8, score });
    const rows = Array.from({ length: 70 }, (_, row) =>
      Array.from({ length: row === 5 ? 60 : 6 }, (_, at) => 1 + ((row * at) % 6)),
    );
    const sources = rows.map((_, row) => Int32Array.of(row + 1));
    const outputs = rows.map((output) => Int32Array.from(output));
    expect(await canvasDisagreement(model, sources, outputs)).toMatchObject({
      positions: 69 * 6 + 60,
      changed: changedOneByOne(score, sources, rows, []),
    });
    for (const call of model.calls) {
      if (call.call === 'open') expect(call.rows).toBeLessThanOrEqual(32);
      if (call.call !== 'fill') continue;
      const longest = Math.max(...call.canvases.map(({ tokenIds }) => tokenIds.length));
      expect(call.canvases.length * longest).toBeLessThanOrEqual(MAX_FORWARD_CELLS);
    }
    expect(model.forwards).toBe(6 + 2 + 1);
  });

  it('is nought for a model whose positions do not depend on one another', async () => {
    const independent = randomCanvasScore({ seed: 9, vocabularySize: 8 });
    const model = scriptedCanvasModel({
      vocabularySize: 8,
      endTokenId: -1,
      score: (source, canvas, position) => independent(source, new Int32Array(canvas.length), position),
    });
    const sources = [Int32Array.of(1), Int32Array.of(2)];
    const { results } = await collect(nat({ length: 9 }).decode(model, { sources }));
    const outputs = results.map(({ hypotheses }) => hypotheses[0].tokenIds);
    expect(await canvasDisagreement(model, sources, outputs)).toEqual({ positions: 18, changed: 0, share: 0 });
  });

  it('refuses what it cannot look at, by code', async () => {
    const model = tableModel({}, undefined, 2);
    const sources = [Int32Array.of(1)];
    const cases: readonly (readonly [readonly Int32Array[], string])[] = [
      [tokens('abc'), 'LENGTH_LIMIT'],
      [tokens('a_'), 'INVALID_ARGUMENT'],
      [tokens('a.'), 'INVALID_ARGUMENT'],
      [tokens('a', 'b'), 'INVALID_ARGUMENT'],
    ];
    for (const [outputs, code] of cases) {
      await expect(canvasDisagreement(model, sources, outputs)).rejects.toMatchObject({ code });
    }
    await expect(canvasDisagreement(model, sources, tokens('ab'), { withEndToken: true })).rejects.toMatchObject({
      code: 'LENGTH_LIMIT',
    });
    const blind = { ...model, supports: { outputs: ['logits' as const], lengths: false, maxCandidates: 0 } };
    await expect(canvasDisagreement(blind, sources, tokens('a'))).rejects.toMatchObject({
      code: 'UNSUPPORTED_CAPABILITY',
    });
    expect(model.calls).toEqual([]);
    const many = Array.from({ length: 40 }, (_, row) => Int32Array.of(row));
    const outputs = many.map(() => tokens('ab')[0]);
    for (const [bad, code] of [
      [Number.NaN, 'INVALID_SCORES'],
      [Number.NEGATIVE_INFINITY, 'UNSATISFIABLE_CONSTRAINT'],
    ] as const) {
      const broken = scriptedCanvasModel({
        vocabularySize: 9,
        score: ([source], _, position) => new Float32Array(9).fill(source === 35 && position === 1 ? bad : 0),
      });
      await expect(canvasDisagreement(broken, many, outputs)).rejects.toMatchObject({
        code,
        details: { row: 35, position: 1 },
      });
      expect(broken.stillOpen).toBe(0);
    }
  });
});

describe('diagnose', () => {
  const latticeModel = (lattice: Lattice): LatticeModel<TokenSource> => ({
    vocabulary: { size: 6, endTokenId: 0 },
    supports: { kind: lattice.kind, maxCandidates: 6 },
    emit: async (sources) => sources.map(() => lattice),
  });

  it('reports what it was given the means to find', async () => {
    const outputs = tokens('aa', 'abc');
    expect(await diagnose({ outputs })).toEqual({
      sentences: 2,
      tokens: 5,
      repetition: { repeatedTokens: 0.2, repeatedBigrams: 0 },
    });
    const model = tableModel({ _a: 'b90 g9', a_: 'g9 a90', _bc: 'a90 g9 g9', a_c: 'g9 b90 g9', ab_: 'g9 g9 d90' });
    const sources = [Int32Array.of(1), Int32Array.of(2)];
    const full = await diagnose({ outputs, references: tokens('a', 'abc'), model, sources });
    expect(full.length).toEqual({ meanDifference: 0.5, meanAbsoluteDifference: 0.5, ratio: 5 / 4 });
    expect(full.disagreement).toEqual({ positions: 5, changed: 2, share: 0.4 });
  });

  it('looks at the lattices of a lattice model', async () => {
    const lattice = dagLattice(randomDag(3, 6, 5), 1);
    const outputs = Array.from({ length: 70 }, () => toTokens('a'));
    const sources = outputs.map(() => Int32Array.of(1));
    const alone = latticeDisagreement([lattice], 6);
    const { disagreement } = await diagnose({ outputs, sources, model: latticeModel(lattice) });
    expect(disagreement).toEqual({
      positions: 70 * alone.positions,
      changed: 70 * alone.changed,
      share: alone.share,
    });
  });

  it('refuses bad input by code and stops at an abort', async () => {
    const model = tableModel({});
    const outputs = tokens('a');
    const sources = [Int32Array.of(1)];
    const lattices = latticeModel(dagLattice(randomDag(3, 6, 5), 1));
    const bad: readonly Parameters<typeof diagnose>[0][] = [
      { outputs: [] },
      { outputs, references: [] },
      { outputs, model },
      { outputs, sources },
      { outputs, model, sources: [] },
      { outputs, withEndToken: true },
      { outputs, model: lattices, sources, withEndToken: false },
    ];
    for (const options of bad) await expect(diagnose(options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const reason = new Error('enough');
    await expect(diagnose({ outputs, model, sources, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(model.calls).toEqual([]);
  });
});
