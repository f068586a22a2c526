import { type CanvasSession, collect, type DecodeRequest, type TokenSource } from '@foretoken/core';
import { type NatOptions, nat } from '@foretoken/one-shot';
import { maskPredict } from '@foretoken/refine';
import {
  canvasConformance,
  eventsOf,
  randomCanvasScore,
  randomLogits,
  randomScriptedModel,
  scriptedCanvasModel,
  scriptedModel,
} from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, fillsOf, LETTERS, letterModel, tableModel, toTokens } from './nat-scripted.js';

const teacher = randomScriptedModel({ seed: 3, vocabularySize: 8, endTokenId: 0 });

const decoders = {
  'nat()': () => nat(),
  'nat, length beam': () => nat({ lengthBeam: 3 }),
  'nat, given length, deduplicated': () => nat({ length: 7, deduplicate: true }),
  'nat, no repeats': () => nat({ lengthBeam: 2, noAdjacentRepeats: true }),
  'nat, rescored': () => nat({ lengthBeam: 4, rescoring: { model: teacher }, deduplicate: true }),
};
for (const [name, createDecoder] of Object.entries(decoders)) {
  canvasConformance({ runner: { describe, it }, name, createDecoder });
}

describe('nat', () => {
  it('fills all lengths of all rows in one forward and takes the surest', async () => {
    const model = tableModel({ __: 'a60 b60', ___: 'a90 b80 c70' }, [1, 1, 50, 48]);
    const sources = [Int32Array.of(1), Int32Array.of(2)];
    const events = await eventsOf(nat({ lengthBeam: 2 }).decode(model, { sources }));
    expect(fillsOf(model)).toEqual([['__', '___', '__', '___']]);
    expect(events.map(({ type }) => type)).toEqual([
      'canvas-revise',
      'token-commit',
      'canvas-revise',
      'token-commit',
      'decode-end',
    ]);
    const { best, statistics } = await decode({ lengthBeam: 2 }, model);
    expect(best.tokenIds).toEqual(toTokens('abc'));
    expect(best.score).toBeCloseTo(Math.log(0.9 * 0.8 * 0.7) / 3, 5);
    expect(best.logProb).toBeCloseTo(Math.log(0.9 * 0.8 * 0.7), 5);
    expect(statistics).toMatchObject({ forwards: 1, tokens: 3 });
    expect((await decode({}, model)).text).toBe('ab');
    // The weight at which the lengths' probabilities, 50 to 48, make up for the surer canvas.
    const even = (Math.log(0.9 * 0.8 * 0.7) / 3 - Math.log(0.6)) / Math.log(50 / 48);
    expect((await decode({ lengthBeam: 2, lengthWeight: 0.99 * even }, model)).text).toBe('abc');
    expect((await decode({ lengthBeam: 2, lengthWeight: 1.01 * even }, model)).text).toBe('ab');
  });

  it('equals one iteration of mask-predict', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1e6),
        fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
        fc.integer({ min: 1, max: 4 }),
        fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
        fc.array(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }), { minLength: 2, maxLength: 2 }),
        async (seed, length, lengthBeam, maxNewTokens, prefixes) => {
          const lengths = randomLogits({ seed, vocabularySize: 10, endTokenId: -1 });
          const model = scriptedCanvasModel({
            vocabularySize: 8,
            score: randomCanvasScore({ seed, vocabularySize: 8, never: [] }),
            lengths: (source) => lengths(source, []),
          });
          const options = length === undefined ? { lengthBeam } : { length: Math.max(length, 3) };
          const max = Math.max(maxNewTokens ?? 9, 3);
          const request = {
            sources: [Int32Array.of(1, 2), Int32Array.of(3)],
            outputPrefixes: prefixes.map((prefix) => Int32Array.from(prefix)),
            maxNewTokens: max,
          };
          const refined = await collect(maskPredict({ ...options, iterations: 1 }).decode(model, request));
          const at = await collect(nat(options).decode(model, request));
          expect(at.results).toEqual(refined.results);
          expect(at.statistics.forwards).toBe(refined.statistics.forwards);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('collapses repeats where it is asked to, never in a prefix', async () => {
    const model = tableModel({ aa___: 'g9 g9 a60 b50 b70', _____: 'b50 b70 c60 c90 b80' });
    const collapsed = await decode({ length: 5, deduplicate: true }, model);
    expect(collapsed.text).toBe('bcb');
    expect(collapsed.best.logProb).toBeCloseTo(Math.log(0.7 * 0.9 * 0.8), 5);
    expect(collapsed.best.score).toBeCloseTo(Math.log(0.5 * 0.7 * 0.6 * 0.9 * 0.8) / 5, 5);
    expect((await decode({ length: 5 }, model)).text).toBe('bbccb');
    const outputPrefixes = [toTokens('aa')];
    const inside = await decode({ length: 5, deduplicate: true }, model, { outputPrefixes });
    expect(inside.text).toBe('aab');
    expect(inside.best.logProb).toBeCloseTo(Math.log(0.7), 5);
  });

  it('puts another token in the place of a repeat where it is asked to', async () => {
    const model = tableModel({ aa__: 'g9 g9 a60c30 c90d5', ____: 'b50 b70d20 c60e30 c90', ___: 'a50 .60 .70' });
    // Where two repeat, the one that costs less gives way: the second b, and the first c.
    expect((await decode({ length: 4, noAdjacentRepeats: true }, model)).text).toBe('bdec');
    const outputPrefixes = [toTokens('aa')];
    // After aa, c at 30% and then d at 5%, or b at 1.4% and then c.
    const inside = await decode({ length: 4, noAdjacentRepeats: true }, model, { outputPrefixes });
    expect(inside.text).toBe('aacd');
    // The end token may repeat: nothing after the first is read.
    expect((await decode({ length: 3, noAdjacentRepeats: true }, model)).text).toBe('a');
  });

  it('has a candidate left for every position where the mask is one of them', async () => {
    // Between a and c only b will do, the fourth choice there.
    const model = tableModel({ ___: 'a90 _50a20c15b10 c90' });
    expect((await decode({ length: 3, noAdjacentRepeats: true }, model)).text).toBe('abc');
  });

  it('ends a row by code where it cannot do without repeats, unless another length can', async () => {
    const only = Float32Array.from(LETTERS, (letter) => (letter === 'a' ? 0 : Number.NEGATIVE_INFINITY));
    const model = scriptedCanvasModel({
      vocabularySize: LETTERS.length,
      score: () => only,
      lengths: () => [0, 1, 2].map((length) => Math.log(length / 3)),
    });
    await expect(decode({ noAdjacentRepeats: true }, model)).rejects.toMatchObject({
      code: 'UNSATISFIABLE_CONSTRAINT',
      details: { option: 'noAdjacentRepeats', row: 0 },
    });
    expect(model.stillOpen).toBe(0);
    expect((await decode({ noAdjacentRepeats: true, lengthBeam: 2 }, model)).text).toBe('a');
  });

  it('refuses contradictory options, and models that do not fit, before any compute', async () => {
    const bad: readonly NatOptions[] = [
      { length: 0 },
      { lengthBeam: 0 },
      { length: 3, lengthBeam: 2 },
      { lengthWeight: 0.1 },
      { lengthBeam: 2, lengthWeight: 0.1, rescoring: { model: letterModel([]) } },
      { deduplicate: true, noAdjacentRepeats: true },
      { rescoring: { model: letterModel([]) } },
      { rescoring: { model: letterModel([]) }, length: 4 },
      { rescoring: 'teacher' as never, lengthBeam: 2 },
    ];
    for (const options of bad)
      expect(() => nat(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    const canvas = tableModel({}, [1, 9, 50, 40], 5);
    const wrong: readonly (readonly [NatOptions, Partial<DecodeRequest<TokenSource>>, string])[] = [
      [{ length: 6 }, {}, 'LENGTH_LIMIT'],
      [{ rescoring: { model: teacher }, lengthBeam: 2 }, {}, 'INVALID_ARGUMENT'],
      [
        { rescoring: { model: { ...letterModel([]), vocabulary: { size: 9, endTokenId: 1 } } }, lengthBeam: 2 },
        {},
        'INVALID_ARGUMENT',
      ],
      [{ rescoring: { model: letterModel([], { outputs: ['topK'] }) }, lengthBeam: 2 }, {}, 'UNSUPPORTED_CAPABILITY'],
      [{ rescoring: { model: letterModel([], { branching: false }) }, lengthBeam: 2 }, {}, 'UNSUPPORTED_CAPABILITY'],
      [
        { rescoring: { model: letterModel([]) }, lengthBeam: 2 },
        { outputPrefixes: [toTokens('a')] },
        'UNSUPPORTED_CAPABILITY',
      ],
      [{}, { outputPrefixes: [toTokens('a_')] }, 'INVALID_ARGUMENT'],
      [{}, { outputPrefixes: [toTokens('aaaaaa')] }, 'LENGTH_LIMIT'],
    ];
    for (const [options, request, code] of wrong) {
      await expect(decode(options, canvas, request)).rejects.toMatchObject({ code });
    }
    expect(canvas.calls).toEqual([]);
  });

  it('refuses what a broken model gives, by code', async () => {
    const canvas = tableModel({ _: 'a90', __: 'a50 b50' }, [0, 60, 40]);
    const broken = scriptedModel({
      vocabularySize: LETTERS.length,
      score: () => new Float32Array(LETTERS.length).fill(Number.NaN),
    });
    await expect(decode({ lengthBeam: 2, rescoring: { model: broken } }, canvas)).rejects.toMatchObject({
      code: 'INVALID_SCORES',
    });
    const withSession = (change: Partial<CanvasSession>): typeof canvas => ({
      ...canvas,
      open: async (...args) => Object.assign(await canvas.open(...args), change),
    });
    const none = async () => [{ row: 0, lengths: new Int32Array(), logProbs: new Float32Array() }];
    for (const session of [{ fill: async () => [] }, { predictLengths: none }]) {
      await expect(decode({}, withSession(session))).rejects.toMatchObject({ code: 'RUNTIME_FAILURE' });
    }
    expect(canvas.stillOpen).toBe(0);
  });
});
