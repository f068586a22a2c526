import { collect, type DecodeEvent } from '@foretoken/core';
import { type MaskPredictOptions, maskedCount, maskPredict } from '@foretoken/refine';
import { eventsOf, randomCanvasScore, scriptedCanvasModel } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { referenceMaskPredict } from './references.js';
import { fillsOf, MASK, tableModel, toText, toTokens } from './table-model.js';

const SOURCES = [Int32Array.of(1)];

const revisions = (events: readonly DecodeEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'canvas-revise' ? [toText(event.tokenIds)] : []));

describe('maskPredict', () => {
  it('masks the least confident positions, fewer each time', async () => {
    const model = tableModel({
      ____: 'a90 b30 c80 d40', // abcd; the worst three are b 30, d 40, c 80
      a___: 'g99 e50 c60 d70', // aecd, the a stays at 90; the worst two are e 50, c 60
      a__d: 'g99 b95 f20 g99', // abfd; the worst is f 20
      ab_d: 'g99 g99 c98 g99', // abcd
    });
    const events = await eventsOf(maskPredict({ length: 4, iterations: 4 }).decode(model, { sources: SOURCES }));
    expect(fillsOf(model)).toEqual([['____'], ['a___'], ['a__d'], ['ab_d']]);
    expect(revisions(events)).toEqual(['abcd', 'aecd', 'abfd', 'abcd']);
    expect(events.map(({ type }) => type).slice(-2)).toEqual(['token-commit', 'decode-end']);
    const logProbs = [0.9, 0.95, 0.98, 0.7].map(Math.log);
    const sum = logProbs.reduce((a, b) => a + b);
    const last = events.filter((event) => event.type === 'canvas-revise').at(-1);
    for (const [position, logProb] of logProbs.entries()) expect(last?.logProbs?.[position]).toBeCloseTo(logProb, 5);
    const end = events.at(-1);
    if (end?.type !== 'decode-end') throw new Error('no end');
    const [best] = end.results[0].hypotheses;
    expect(best).toMatchObject({ tokenIds: toTokens('abcd'), finishReason: 'complete' });
    expect(best?.score).toBeCloseTo(sum / 4, 5);
    expect(best?.logProb).toBeCloseTo(sum, 5);
  });

  it('masks the earlier of equally confident positions', async () => {
    const model = tableModel({ ____: 'a50 b50 c50 d90', __cd: 'a50 b50 g9 g9', _bcd: 'e70 g9 g9 g9' });
    const decoder = maskPredict({ length: 4, iterations: 3 });
    const { results } = await collect(decoder.decode(model, { sources: SOURCES }));
    expect(fillsOf(model)).toEqual([['____'], ['__cd'], ['_bcd']]);
    expect(toText(results[0].hypotheses[0].tokenIds)).toBe('ebcd');
  });

  it('refuses a predicted length that the model has no positions for before the first fill', async () => {
    const model = { ...tableModel({ ____: 'a90 b90 c90 d90' }, { lengths: () => [0, 0, 0, 0, 1] }), maxLength: 3 };
    const decode = maskPredict({ iterations: 1 }).decode(model, { sources: SOURCES });
    await expect(collect(decode)).rejects.toMatchObject({ code: 'LENGTH_LIMIT', details: { received: 4, max: 3 } });
    expect(model.calls.map(({ call }) => call)).toEqual(['open', 'predict-lengths', 'dispose']);
  });

  it('is a one-shot fill in one iteration', async () => {
    const model = tableModel({ ___: 'a50 _80 c90' });
    const { results, statistics } = await collect(
      maskPredict({ length: 3, iterations: 1 }).decode(model, { sources: SOURCES }),
    );
    // The mask is never an output; after it, all tokens share the rest, and the lowest id is the end token.
    expect(results[0]?.hypotheses[0]).toMatchObject({ tokenIds: toTokens('a'), finishReason: 'end-token' });
    expect(statistics.forwards).toBe(1);
  });

  it('masks the published numbers', () => {
    // fairseq: floor(length * (1 - (step + 1) / max_step)) after step 0, 1, ...; the authors: floor(N * (1 - t / T)).
    const counts = (length: number, total: number) =>
      Array.from({ length: total - 1 }, (_, index) => maskedCount('linear', length, index + 1, total));
    expect(counts(10, 10)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(counts(7, 4)).toEqual([5, 3, 1]);
    expect(counts(3, 10)).toEqual([2, 2, 2, 1, 1, 1, 0, 0, 0]);
    expect([1, 2, 3].map((done) => maskedCount('cosine', 12, done, 4))).toEqual([11, 8, 4]);
    expect(maskedCount('cosine', 12, 4, 4)).toBe(0);
  });

  it('ends where the schedule masks none, unless at least one is asked for', async () => {
    const run = async (options: MaskPredictOptions) => {
      const score = randomCanvasScore({ seed: 4, vocabularySize: 9, never: [MASK] });
      const model = scriptedCanvasModel({ vocabularySize: 9, score });
      await collect(maskPredict({ length: 3, iterations: 10, ...options }).decode(model, { sources: SOURCES }));
      return model.forwards;
    };
    expect(await run({})).toBe(7);
    expect(await run({ minMasked: 1 })).toBe(10);
    expect(await run({ schedule: () => 0 })).toBe(1);
    expect(await run({ schedule: () => 1 })).toBe(10); // Never fewer masks: every fill starts from nothing.
  });

  it('stops early once nothing changes, if told to', async () => {
    const table = { ____: 'a90 b30 c80 d40', a___: 'a90 b50 c60 d70', a__d: 'a90 b90 c90 d90', ab_d: 'c9 c9 c90 c9' };
    const early = tableModel(table);
    const decoder = maskPredict({ length: 4, adaptiveStop: true });
    const { results } = await collect(decoder.decode(early, { sources: SOURCES }));
    expect(fillsOf(early)).toEqual([['____'], ['a___']]);
    expect(toText(results[0].hypotheses[0].tokenIds)).toBe('abcd');
  });

  it('tries several lengths and takes the highest mean log-probability', async () => {
    const table = { __: 'a50 b50', ___: 'c60 d60 e60', _: 'f10' };
    const model = tableModel(table, { lengths: () => [0, 1, 3, 2] });
    const decoder = maskPredict({ lengthBeam: 3, iterations: 1 });
    const { results } = await collect(decoder.decode(model, { sources: SOURCES }));
    expect(fillsOf(model)).toEqual([['__', '___', '_']]);
    // The sum of two would win: 0.5 * 0.5 > 0.6 * 0.6 * 0.6.
    expect(toText(results[0].hypotheses[0].tokenIds)).toBe('cde');
    expect(results[0].hypotheses[0].score).toBeCloseTo(Math.log(0.6), 5);
  });

  it('lets the probability of a length have a say, as much as asked for', async () => {
    const model = tableModel({ __: 'a50 b50', ___: 'c60 d60 e60', _: 'f10' }, { lengths: () => [0, 1, 3, 2] });
    const logProbOfTwo = 3 - Math.log([0, 1, 3, 2].reduce((sum, logit) => sum + Math.exp(logit), 0));
    const bestBy = async (lengthWeight: number) => {
      const decoder = maskPredict({ lengthBeam: 3, lengthWeight, iterations: 1 });
      return (await collect(decoder.decode(model, { sources: SOURCES }))).results[0].hypotheses[0];
    };
    // Two positions are e times as probable as three; log(0.6 / 0.5) is 0.182.
    expect(toText((await bestBy(0.18)).tokenIds)).toBe('cde');
    const other = await bestBy(0.19);
    expect(toText(other.tokenIds)).toBe('ab');
    expect(other.score).toBeCloseTo(Math.log(0.5) + 0.19 * logProbOfTwo, 5);
    expect(other.logProb).toBeCloseTo(2 * Math.log(0.5), 5);
  });

  it('outputs nothing for a length of none, without a forward', async () => {
    const model = tableModel({}, { lengths: () => [1, 0] });
    const { results, statistics } = await collect(maskPredict().decode(model, { sources: SOURCES }));
    expect(results[0]?.hypotheses).toEqual([{ tokenIds: new Int32Array(), finishReason: 'complete', logProb: 0 }]);
    expect(statistics.forwards).toBe(0);
  });

  it('fills around a prefix that it never masks', async () => {
    const model = tableModel({ bd__: 'g99 g99 a60 c50', bda_: 'g99 g99 g99 e70' });
    const request = { sources: SOURCES, outputPrefixes: [toTokens('bd')] };
    const { results } = await collect(maskPredict({ length: 4, iterations: 2 }).decode(model, request));
    expect(fillsOf(model)).toEqual([['bd__'], ['bda_']]);
    expect(results[0]?.hypotheses[0]?.tokenIds).toEqual(toTokens('bdae'));
    expect(results[0]?.hypotheses[0]?.logProb).toBeCloseTo(Math.log(0.6 * 0.7), 5);
    const over = { sources: SOURCES, outputPrefixes: [toTokens('bd')], stopSequences: [toTokens('d')] };
    const none = await collect(maskPredict({ length: 4 }).decode(tableModel({}), over));
    expect(none.statistics.forwards).toBe(0);
    expect(none.results[0]?.hypotheses[0]).toMatchObject({ tokenIds: toTokens('bd'), finishReason: 'stop-sequence' });
  });

  it('counts a prefix as no new tokens', async () => {
    const model = tableModel({ bd__: 'g99 g99 a60 c50', bda_: 'g99 g99 g99 e70' });
    const request = { sources: SOURCES, outputPrefixes: [toTokens('bd')], maxNewTokens: 1 };
    const { results } = await collect(maskPredict({ length: 4, iterations: 2 }).decode(model, request));
    expect(results[0]?.hypotheses[0]).toMatchObject({ tokenIds: toTokens('bda'), finishReason: 'length' });
  });

  it('agrees with the algorithm in the paper on random models', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1e6),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom(0, 1),
        async (seed, length, iterations, min) => {
          const score = randomCanvasScore({ seed, vocabularySize: 9, never: [0] });
          const model = scriptedCanvasModel({ vocabularySize: 9, score });
          const minMasked = iterations === 1 ? 0 : min;
          const decoder = maskPredict({ length, iterations, minMasked });
          const { results } = await collect(decoder.decode(model, { sources: SOURCES }));
          const masks = Array.from({ length: iterations - 1 }, (_, index) =>
            Math.max(minMasked, Math.floor((length * (iterations - index - 1)) / iterations)),
          );
          const expected = referenceMaskPredict({ score, source: SOURCES[0], mask: MASK }, length, masks);
          expect([...results[0].hypotheses[0].tokenIds]).toEqual(expected);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('refuses options out of range, and lengths and prefixes that do not fit, before any compute', async () => {
    const bad: readonly MaskPredictOptions[] = [
      { iterations: 0 },
      { iterations: 1.5 },
      { length: 0 },
      { lengthBeam: 0 },
      { length: 3, lengthBeam: 2 },
      { lengthWeight: 0.1 },
      { length: 3, lengthWeight: 0.1 },
      { lengthBeam: 2, lengthWeight: -0.1 },
      { lengthBeam: 2, lengthWeight: Number.NaN },
      { schedule: () => Number.NaN },
      { schedule: (progress) => 1 + progress },
      { schedule: 'square' as 'linear' },
      { minMasked: 2 as 1 },
      { iterations: 1, adaptiveStop: true },
      { iterations: 1, minMasked: 1 },
    ];
    for (const options of bad)
      expect(() => maskPredict(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    const model = tableModel({}, { maxLength: 5, lengths: () => [0, 0, 0, 1] });
    const long = maskPredict({ length: 6 }).decode(model, { sources: SOURCES });
    await expect(collect(long)).rejects.toMatchObject({ code: 'LENGTH_LIMIT', details: { received: 6, max: 5 } });
    const prefixes: readonly (readonly [string, string])[] = [
      ['abcdef', 'LENGTH_LIMIT'],
      ['a_', 'INVALID_ARGUMENT'],
      ['a.', 'INVALID_ARGUMENT'],
      ['a?', 'INVALID_ARGUMENT'],
    ];
    for (const [prefix, code] of prefixes) {
      const request = { sources: SOURCES, outputPrefixes: [toTokens(prefix)] };
      await expect(collect(maskPredict().decode(model, request))).rejects.toMatchObject({ code });
    }
    const over = { sources: SOURCES, outputPrefixes: [toTokens('abc')], stopSequences: [toTokens('b')] };
    await expect(collect(maskPredict().decode(model, over))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(model.calls).toEqual([]);
  });
});
