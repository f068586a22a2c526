import { type CanvasModel, collect, type DecodeRequest, type Decoder, type TokenSource } from '@foretoken/core';
import { nat } from '@foretoken/one-shot';
import { easyFirst, maskedDiffusion, maskPredict, skeletonFirst } from '@foretoken/refine';
import {
  type CanvasScore,
  randomScriptedModel,
  type ScriptedCanvasOptions,
  scriptedCanvasModel,
} from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { LETTERS, MASK, toText, toTokens } from './table-model.js';

const SOURCES = [Int32Array.of(1)];

/** Scores of which the letters given, best first, are possible alone. */
const only = (letters: string): Float32Array =>
  Float32Array.from(LETTERS, (letter) => (letters.includes(letter) ? -letters.indexOf(letter) : -Infinity));

async function outputOf(
  decoder: Decoder<CanvasModel<TokenSource>>,
  score: CanvasScore,
  more: Partial<ScriptedCanvasOptions> = {},
  request: Partial<DecodeRequest<TokenSource>> = {},
): Promise<string> {
  const model = scriptedCanvasModel({ vocabularySize: LETTERS.length, maskTokenId: MASK, score, ...more });
  try {
    const { results } = await collect(decoder.decode(model, { sources: SOURCES, ...request }));
    return toText(results[0].hypotheses[0].tokenIds);
  } finally {
    expect(model.stillOpen).toBe(0);
  }
}

const STRATEGIES: Readonly<Record<string, (length?: number) => Decoder<CanvasModel<TokenSource>>>> = {
  nat: (length) => nat(length === undefined ? { lengthBeam: 2 } : { length }),
  'nat without repeats': (length) =>
    nat(length === undefined ? { lengthBeam: 2, noAdjacentRepeats: true } : { length, noAdjacentRepeats: true }),
  'mask-predict': (length) => maskPredict(length === undefined ? { lengthBeam: 2 } : { length }),
  'easy-first': (length) => easyFirst(length === undefined ? { lengthBeam: 2 } : { length }),
  'skeleton-first': (length) =>
    skeletonFirst(length === undefined ? { lengthBeam: 2 } : { length, iterations: 2, revise: true }),
  ...Object.fromEntries(
    (['confidence', 'margin', 'entropy', 'left-to-right', 'random'] as const).flatMap((order) => [
      [`masked diffusion by ${order}`, (length = 3) => maskedDiffusion({ length, order, iterations: 3 })],
      [`masked diffusion by ${order}, drawn`, (length = 3) => maskedDiffusion({ length, order, temperature: 1 })],
    ]),
  ),
  'masked diffusion, bounded': (length = 3) =>
    maskedDiffusion({ length, order: 'entropy-bounded', entropyBound: 0.1, blockLength: 2 }),
};

describe.each(Object.entries(STRATEGIES))('%s', (name, create) => {
  it('takes the only token that is possible, whatever its id', async () => {
    for (const letter of 'abg') {
      const score: CanvasScore = (_, _canvas, position) =>
        only(position === 1 ? `_${letter}` : `${position === 0 ? 'c' : 'd'}`);
      expect(await outputOf(create(3), score)).toBe(`c${letter}d`);
    }
  });

  it('ends by code where only the mask is possible, everywhere or in one place', async () => {
    for (const impossible of [[0, 1, 2], [0], [1], [2]]) {
      for (const nothing of ['_', '']) {
        const score: CanvasScore = (_, _canvas, position) =>
          only(impossible.includes(position) ? nothing : 'abc'.slice(position, position + 1));
        await expect(outputOf(create(3), score)).rejects.toMatchObject({
          code: 'UNSATISFIABLE_CONSTRAINT',
          details: { row: 0, position: impossible[0] },
        });
      }
    }
  });

  it('outputs what ends before the place where nothing is possible', async () => {
    if (name.includes('repeats')) return;
    const score: CanvasScore = (_, _canvas, position) => only(['a', '.', '_'][position]);
    expect(await outputOf(create(3), score)).toBe('a');
    const open: CanvasScore = (_, _canvas, position) => only(['a', 'b', '_'][position]);
    expect(await outputOf(create(3), open, {}, { maxNewTokens: 2 })).toBe('ab');
    expect(await outputOf(create(3), open, {}, { stopSequences: [toTokens('ab')] })).toBe('ab');
  });

  it('takes another length where the first leaves a place without tokens', async () => {
    if (name.startsWith('masked')) return;
    const score: CanvasScore = (_, canvas, position) =>
      only(canvas.length === 3 && position === 1 ? '_' : 'abc'[position]);
    expect(await outputOf(create(), score, { lengths: () => [-9, -9, 0, 1] })).toBe('ab');
    await expect(
      outputOf(create(), score, { lengths: () => [-Infinity, -Infinity, -Infinity, 1] }),
    ).rejects.toMatchObject({
      code: 'UNSATISFIABLE_CONSTRAINT',
    });
  });
});

describe('a place without tokens', () => {
  // Between two tokens b is possible, beside a mask nothing.
  const late: CanvasScore = (_, canvas, position) =>
    only(position !== 1 ? 'ac'[position / 2] : canvas[0] !== MASK && canvas[2] !== MASK ? 'b' : '_');

  it('is decided once its neighbours make a token possible', async () => {
    for (const decoder of [
      maskPredict({ length: 3, iterations: 3 }),
      easyFirst({ length: 3 }),
      skeletonFirst({ length: 3, iterations: 2 }),
      maskedDiffusion({ length: 3 }),
      maskedDiffusion({ length: 3, order: 'left-to-right' }),
      maskedDiffusion({ length: 3, order: 'random' }),
      maskedDiffusion({ length: 3, order: 'entropy-bounded', entropyBound: 0 }),
    ]) {
      expect(await outputOf(decoder, late)).toBe('abc');
    }
  });

  it('is no skeleton, whatever content is', async () => {
    const seen: number[] = [];
    const content = (tokenId: number): boolean => seen.push(tokenId) > 0;
    expect(await outputOf(skeletonFirst({ length: 3, content }), late)).toBe('abc');
    expect(seen).not.toContain(MASK);
  });

  it('is never put before a model that rescores', async () => {
    const teacher = randomScriptedModel({ seed: 1, vocabularySize: LETTERS.length });
    const score: CanvasScore = (_, canvas, position) =>
      only(canvas.length === 3 && position === 2 ? '_' : 'abc'[position]);
    const lengths = (): number[] => [-Infinity, -Infinity, 0, 1];
    const decoder = nat({ lengthBeam: 2, rescoring: { model: teacher } });
    expect(await outputOf(decoder, score, { lengths })).toBe('ab');
    // The model reads whole outputs, so a request that cuts does not make that length possible.
    expect(await outputOf(decoder, score, { lengths }, { maxNewTokens: 1 })).toBe('a');
    await expect(outputOf(decoder, () => only('_'), { lengths })).rejects.toMatchObject({
      code: 'UNSATISFIABLE_CONSTRAINT',
      details: { row: 0, position: 0 },
    });
  });
});

describe('predicted lengths', () => {
  it('end by code where they are not numbers, and are left out at probability 0', async () => {
    const model = scriptedCanvasModel({
      vocabularySize: LETTERS.length,
      score: () => only('a'),
      lengths: () => [0, 1, 2],
    });
    const predicting = (logProbs: readonly number[]): typeof model => ({
      ...model,
      open: async (...args) => {
        const session = await model.open(...args);
        return Object.assign(session, {
          predictLengths: async () => [
            { row: 0, lengths: Int32Array.of(2, 1, 0), logProbs: Float32Array.from(logProbs) },
          ],
        });
      },
    });
    for (const decoder of [maskPredict({ lengthBeam: 3 }), nat({ lengthBeam: 3, lengthWeight: 1 })]) {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
        await expect(collect(decoder.decode(predicting([-1, bad, -2]), { sources: SOURCES }))).rejects.toMatchObject({
          code: 'INVALID_SCORES',
          details: { row: 0, position: 1 },
        });
      }
      const { results } = await collect(decoder.decode(predicting([-Infinity, -1, -Infinity]), { sources: SOURCES }));
      expect(toText(results[0].hypotheses[0].tokenIds)).toBe('a');
      await expect(
        collect(decoder.decode(predicting([-Infinity, -Infinity, -Infinity]), { sources: SOURCES })),
      ).rejects.toMatchObject({ code: 'RUNTIME_FAILURE' });
    }
    expect(model.stillOpen).toBe(0);
  });
});
