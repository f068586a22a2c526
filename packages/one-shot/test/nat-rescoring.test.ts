import { type AutoregressiveModel, collect, type TokenSource } from '@foretoken/core';
import { logSoftmax } from '@foretoken/core/kit';
import { nat } from '@foretoken/one-shot';
import {
  randomCanvasScore,
  randomLogits,
  randomScriptedModel,
  ranked,
  scriptedCanvasModel,
  scriptedModel,
} from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, letterModel, tableModel } from './nat-scripted.js';

describe('nat with an autoregressive model to rescore', () => {
  it('lets an autoregressive model choose, by its own mean over tokens and end', async () => {
    const canvas = tableModel({ __: 'a60 b60', ___: 'a90 b80 c70', _: 'd30' }, [1, 9, 50, 40]);
    const model = letterModel(['a50d10', 'b40.5', 'c10.90', '.80']);
    const { best, text, statistics } = await decode({ lengthBeam: 3, rescoring: { model: model } }, canvas);
    expect(text).toBe('ab');
    // d ends after 10% times 5%; ab 50% * 40% * 90%; abc 50% * 40% * 10% * 80%.
    expect(best.score).toBeCloseTo(Math.log(0.5 * 0.4 * 0.9) / 3, 5);
    expect(best.logProb).toBeCloseTo(Math.log(0.6 * 0.6), 5);
    expect(statistics).toMatchObject({ forwards: 1, otherForwards: 1 });
    const plain = await decode({ lengthBeam: 3 }, canvas);
    expect(plain.text).toBe('abc');
  });

  it('leaves out candidates that the model has no positions for, and refuses a row of none but such', async () => {
    const canvas = tableModel({ __: 'a60 b60', ___: 'a90 b80 c70', _: 'd30' }, [1, 9, 40, 50]);
    const short = (maxLength: number): AutoregressiveModel<TokenSource> => ({
      ...letterModel(['a50d10', 'b90.5', 'c99', '.99']),
      maxLength,
    });
    // With its start token, the model holds three of "abc", which it likes best, and no more.
    expect((await decode({ lengthBeam: 3, rescoring: { model: short(4) } }, canvas)).text).toBe('abc');
    const { text, best } = await decode({ lengthBeam: 3, rescoring: { model: short(3) } }, canvas);
    expect(text).toBe('ab');
    expect(Number.isFinite(best.score)).toBe(true);
    expect((await decode({ lengthBeam: 3, rescoring: { model: short(2) } }, canvas)).text).toBe('d');
    await expect(decode({ lengthBeam: 2, rescoring: { model: short(2) } }, canvas)).rejects.toMatchObject({
      code: 'LENGTH_LIMIT',
      details: { row: 0 },
    });
  });

  it('chooses what scoring each length on its own chooses', async () => {
    let notTheSurest = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1e6),
        fc.integer({ min: 2, max: 4 }),
        fc.constantFrom({}, { deduplicate: true }, { noAdjacentRepeats: true }),
        async (seed, lengthBeam, remedy) => {
          const lengths = randomLogits({ seed, vocabularySize: 9, endTokenId: -1 });
          const next = randomLogits({ seed: seed + 1, vocabularySize: 8, endTokenId: 0 });
          const canvas = scriptedCanvasModel({
            vocabularySize: 8,
            score: randomCanvasScore({ seed, vocabularySize: 8, never: [] }),
            lengths: (source) => lengths(source, []),
          });
          const source = Int32Array.of(1);
          const byProbability = ranked(lengths(source, [])).slice(0, lengthBeam);
          const candidates = await Promise.all(
            byProbability.map(async (length) => {
              const { text, best } =
                length === 0
                  ? { text: '', best: { tokenIds: new Int32Array() } }
                  : await decode({ length, ...remedy }, canvas);
              const output = [...best.tokenIds];
              const logProb = [...output, 0].reduce(
                (sum, tokenId, position) => sum + logSoftmax(next(source, output.slice(0, position)))[tokenId],
                0,
              );
              return { text, score: logProb / (output.length + 1) };
            }),
          );
          const expected = candidates.reduce((a, b) => (b.score > a.score + 1e-9 ? b : a));
          const model = scriptedModel({ vocabularySize: 8, score: next });
          const found = await decode({ lengthBeam, rescoring: { model: model }, ...remedy }, canvas);
          expect(found.text).toBe(expected.text);
          expect(found.best.score).toBeCloseTo(expected.score, 5);
          if ((await decode({ lengthBeam, ...remedy }, canvas)).text !== found.text) notTheSurest++;
        },
      ),
      { numRuns: 100 },
    );
    expect(notTheSurest).toBeGreaterThan(0);
  });

  it('divides by the length: the sum alone would prefer what is short', async () => {
    const canvas = tableModel({ _: 'a90', ____: 'a50 b50 c50 d50' }, [0, 60, 0, 0, 40]);
    // a: 70% * 20%; abcd: 70% * 60% * 60% * 60% * 60%, a lower product of more factors.
    const model = letterModel(['a70', 'b60.20', 'c60', 'd60', '.60']);
    const { best, text } = await decode({ lengthBeam: 2, rescoring: { model: model } }, canvas);
    expect(text).toBe('abcd');
    expect(best.score).toBeCloseTo(Math.log(0.7 * 0.6 ** 4) / 5, 5);
  });

  it('scores the candidates of all rows in one forward of the other model', async () => {
    const lengths = randomLogits({ seed: 1, vocabularySize: 7, endTokenId: -1 });
    const canvas = scriptedCanvasModel({
      vocabularySize: 8,
      score: randomCanvasScore({ seed: 5, vocabularySize: 8, never: [0] }),
      lengths: (source) => lengths(source, []),
    });
    const teacher = randomScriptedModel({ seed: 3, vocabularySize: 8 });
    let extensions = 0;
    let disposed = 0;
    const counted: AutoregressiveModel<TokenSource> = {
      ...teacher,
      open: async (...args) => {
        const forest = await teacher.open(...args);
        const { extend } = forest;
        forest.extend = ((...rest: Parameters<typeof extend>) => {
          extensions++;
          return extend.apply(forest, rest);
        }) as typeof extend;
        const dispose = forest[Symbol.asyncDispose].bind(forest);
        forest[Symbol.asyncDispose] = async () => {
          disposed++;
          await dispose();
        };
        return forest;
      },
    };
    const sources = [Int32Array.of(4, 2), Int32Array.of(3), Int32Array.of(5)];
    const decoder = nat({ lengthBeam: 4, rescoring: { model: counted } });
    const { results } = await collect(decoder.decode(canvas, { sources }));
    expect([canvas.forwards, extensions, disposed, canvas.stillOpen]).toEqual([1, 1, 1, 0]);
    for (const [row, source] of sources.entries()) {
      const alone = await collect(decoder.decode(canvas, { sources: [source] }));
      expect(alone.results[0].hypotheses).toEqual(results[row].hypotheses);
    }
  });

  it('encodes once for both where they share an encoder', async () => {
    let encoded = 0;
    let released = 0;
    const encoder = {
      encode: async (sources: readonly TokenSource[]) => {
        encoded++;
        return { rows: sources.length, dispose: () => void released++ };
      },
    };
    const canvas = { ...tableModel({ _: 'a90', __: 'a50 b50' }, [0, 60, 40]), encoder };
    await decode({ lengthBeam: 2, rescoring: { model: letterModel(['a70', 'b60', '.60'], {}, encoder) } }, canvas);
    expect([encoded, released]).toEqual([1, 1]);
    const other = { encode: encoder.encode };
    await decode({ lengthBeam: 2, rescoring: { model: letterModel(['a70', 'b60', '.60'], {}, other) } }, canvas);
    expect([encoded, released]).toEqual([1, 1]);
    const broken = tableModel({}, [0, 60, 40]);
    await expect(
      decode({ lengthBeam: 2, rescoring: { model: letterModel([], {}, encoder) } }, { ...broken, encoder }),
    ).rejects.toThrow('not in the table');
    expect([encoded, released]).toEqual([2, 2]);
  });
});
