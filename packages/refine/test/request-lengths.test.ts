import { collect, type DecodeRequest, type TokenSource } from '@foretoken/core';
import { ctcGreedy, nat } from '@foretoken/one-shot';
import { easyFirst, maskCtc, maskedDiffusion, maskPredict, skeletonFirst } from '@foretoken/refine';
import { randomCanvasScore, scriptedCanvasModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

const SOURCES = [1, 2, 3].map((id) => Int32Array.of(3 + id, 4, 5));
const LENGTHS = [2, 7, 4];
/** None of its outputs ends by itself. */
const model = (lengths = true) =>
  scriptedCanvasModel({
    vocabularySize: 9,
    endTokenId: -1,
    score: randomCanvasScore({ seed: 3, vocabularySize: 9 }),
    lengths: lengths ? () => [0, 0, 0, 1] : undefined,
  });
const STRATEGIES = { nat, maskPredict, easyFirst, skeletonFirst, maskedDiffusion };

async function outputs(
  strategy: keyof typeof STRATEGIES,
  more: Partial<DecodeRequest<TokenSource>>,
  options: { readonly length?: number; readonly lengthBeam?: number } = {},
  on = model(),
): Promise<number[][]> {
  const decoder = STRATEGIES[strategy]<TokenSource>(options);
  const { results } = await collect(decoder.decode(on, { sources: SOURCES, ...more }));
  return results.map(({ best }) => [...best.tokenIds]);
}

describe.each(Object.keys(STRATEGIES) as (keyof typeof STRATEGIES)[])('lengths of the request, %s', (name) => {
  it('are those of the rows, as if each were decoded alone with the option', async () => {
    const found = await outputs(name, { lengths: LENGTHS });
    expect(found.map(({ length }) => length)).toEqual(LENGTHS);
    for (const [row, length] of LENGTHS.entries()) {
      expect((await outputs(name, {}, { length }))[row]).toEqual(found[row]);
    }
  });

  it('are one number for all rows, as they are one a row', async () => {
    expect(await outputs(name, { lengths: 4 })).toEqual(await outputs(name, { lengths: [4, 4, 4] }));
  });

  it('need no model that predicts them', async () => {
    expect(await outputs(name, { lengths: LENGTHS }, {}, model(false))).toEqual(
      await outputs(name, { lengths: LENGTHS }),
    );
    await expect(outputs(name, {}, {}, model(false))).rejects.toMatchObject({ code: 'UNSUPPORTED_CAPABILITY' });
  });

  it.each([
    [{ lengths: [1, 2] }, {}, 'INVALID_ARGUMENT'],
    [{ lengths: [1, 2, 0] }, {}, 'INVALID_ARGUMENT'],
    [{ lengths: 0 }, {}, 'INVALID_ARGUMENT'],
    [{ lengths: 3 }, { lengthBeam: 2 }, 'INVALID_ARGUMENT'],
    [{ lengths: 1_000_000 }, {}, 'LENGTH_LIMIT'],
    [{ lengths: LENGTHS }, { length: 3 }, 'INVALID_ARGUMENT'],
    [{ lengths: [1, 2, 1_000_000] }, {}, 'LENGTH_LIMIT'],
    [{ lengths: LENGTHS, outputPrefixes: SOURCES }, {}, 'LENGTH_LIMIT'],
    [{ maxNewTokens: [1, 2] }, {}, 'INVALID_ARGUMENT'],
    [{ maxNewTokens: [1, 2, 0] }, {}, 'INVALID_ARGUMENT'],
  ])('are refused before compute where they cannot be: %j, %j', async (more, options, code) => {
    const on = { ...model(), open: () => Promise.reject(new Error('the model was asked')) };
    await expect(outputs(name, more, options, on)).rejects.toMatchObject({ code });
  });

  it('are cut by limits of the rows', async () => {
    const found = await outputs(name, { lengths: LENGTHS, maxNewTokens: [3, 3, 1] });
    expect(found.map(({ length }) => length)).toEqual([2, 3, 1]);
  });
});

it('a strategy whose outputs have no length beforehand refuses them', async () => {
  const lattice = {
    vocabulary: model().vocabulary,
    supports: { kind: 'ctc', maxCandidates: 5 } as const,
    emit: () => Promise.reject(new Error('the model was asked')),
  };
  const refused = { code: 'UNSUPPORTED_CAPABILITY', details: { option: 'lengths' } };
  const request = { sources: SOURCES, lengths: LENGTHS };
  await expect(collect(ctcGreedy().decode(lattice, request))).rejects.toMatchObject(refused);
  const searched = maskCtc<TokenSource>({ initial: { lattice, search: ctcGreedy() } });
  await expect(collect(searched.decode(model(), request))).rejects.toMatchObject(refused);
});
