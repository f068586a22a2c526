import { type CanvasSession, collect, type EditSession, type LatticeModel, type TokenSource } from '@foretoken/core';
import { dagSampling, nat } from '@foretoken/one-shot';
import { levenshtein, maskedDiffusion, maskPredict } from '@foretoken/refine';
import { assertCode, randomCanvasScore, scriptedCanvasModel, scriptedEditModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

const VOCABULARY = 9;
const SOURCES = [Int32Array.of(5, 2), Int32Array.of(3)];
const score = randomCanvasScore({ seed: 1, vocabularySize: VOCABULARY, never: [0, 7, 8] });

function edits() {
  return scriptedEditModel({
    vocabularySize: VOCABULARY,
    startTokenId: 7,
    endTokenId: 0,
    placeholderTokenId: 8,
    deletions: (_, canvas) => new Float32Array(canvas.length),
    placeholders: (_, canvas) => new Int32Array(canvas.length - 1).fill(1),
    score,
  });
}

/** A canvas model with its sessions changed, and the model below it. */
function canvases(change: (session: CanvasSession) => Partial<CanvasSession>) {
  const model = scriptedCanvasModel({ vocabularySize: VOCABULARY, score, lengths: () => [0, 0, 0, 1] });
  const open = async (sources: readonly TokenSource[]): Promise<CanvasSession> => {
    const session = await model.open(sources);
    return {
      predictLengths: (k) => session.predictLengths(k),
      fill: (asked, output) => session.fill(asked, output),
      [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
      ...change(session),
    };
  };
  return { model, broken: { ...model, open } };
}

describe('answers that are missing', () => {
  it.each(['deletions', 'placeholders', 'fill'])('end edits by code: %s', async (question) => {
    const model = edits();
    const open = async (sources: readonly TokenSource[]): Promise<EditSession> => ({
      ...(await model.open(sources)),
      [question]: async () => [],
    });
    const decoder = levenshtein();
    const initialOutputs = SOURCES.map(() => Int32Array.of(4));
    await assertCode(
      () => collect(decoder.decode({ ...model, open }, { sources: SOURCES, initialOutputs })),
      'RUNTIME_FAILURE',
    );
    expect(model.stillOpen).toBe(0);
  });

  it.each([
    [Number.NaN, 'INVALID_SCORES'],
    [Number.POSITIVE_INFINITY, 'INVALID_SCORES'],
    [Number.NEGATIVE_INFINITY, 'RUNTIME_FAILURE'],
    [-1, 'RUNTIME_FAILURE'],
    [1.5, 'RUNTIME_FAILURE'],
  ])('end edits by code where they are no numbers of placeholders: %s', async (count, code) => {
    for (const iteration of [1, 2]) {
      const model = edits();
      let asked = 0;
      const open = async (sources: readonly TokenSource[]): Promise<EditSession> => {
        const session = await model.open(sources);
        return {
          ...session,
          placeholders: async (canvases) => {
            const counts = await session.placeholders(canvases);
            if (++asked < iteration) return counts;
            // As a head without rounding would give them.
            return counts.map((some, index) => {
              const row = Float32Array.from(some);
              if (canvases[index].row === 1) row[1] = count;
              return row as ArrayLike<number> as Int32Array;
            });
          },
        };
      };
      const initialOutputs = SOURCES.map(() => Int32Array.of(4, 5));
      const decoding = collect(levenshtein().decode({ ...model, open }, { sources: SOURCES, initialOutputs }));
      await expect(decoding).rejects.toMatchObject({ code, details: { row: 1 } });
      await expect(decoding).rejects.toThrow(/(at|after) position 1/);
      expect(model.stillOpen).toBe(0);
    }
  });

  it('end refinement by code', async () => {
    const { model, broken } = canvases((session) => ({
      fill: async (asked, output) => (await session.fill(asked, output)).slice(1),
    }));
    await assertCode(() => collect(maskPredict().decode(broken, { sources: SOURCES })), 'RUNTIME_FAILURE');
    expect(model.stillOpen).toBe(0);
  });

  it('end refinement and one-shot decoding by code where they are of another kind', async () => {
    for (const decoder of [maskPredict(), nat(), maskedDiffusion({ temperature: 1 })]) {
      const { model, broken } = canvases((session) => ({
        fill: async (asked, output) =>
          (await session.fill(asked, output)).map((one) => Object.assign(one, { kind: 'argmax' })),
      }));
      await expect(collect(decoder.decode(broken, { sources: SOURCES }))).rejects.toMatchObject({
        code: 'RUNTIME_FAILURE',
        message: expect.stringMatching(/gave row 0 the output argmax, not \w+ as it was asked for/),
      });
      expect(model.stillOpen).toBe(0);
    }
  });

  it.each([
    ['none for a row', [[3], []], undefined],
    ['a row too few', [[3]], undefined],
    ['one below 0', [[3], [-2]], [3, 0]],
  ])('leave lengths defined: %s', async (_, lengths, expected) => {
    const { model, broken } = canvases(() => ({
      predictLengths: async () =>
        lengths.map((some, row) => ({ row, lengths: Int32Array.from(some), logProbs: new Float32Array(some.length) })),
    }));
    const decode = () => collect(maskPredict().decode(broken, { sources: SOURCES }));
    if (expected === undefined) await assertCode(decode, 'RUNTIME_FAILURE');
    else {
      const { results } = await decode();
      expect(results.map(({ hypotheses }) => hypotheses[0].tokenIds.length)).toEqual(expected);
    }
    expect(model.stillOpen).toBe(0);
  });
});

describe('an initial output that is drawn', () => {
  it('is drawn by the seed of the request', async () => {
    const lattice: LatticeModel<TokenSource> = {
      vocabulary: { size: VOCABULARY, endTokenId: 0 },
      supports: { kind: 'dag', maxCandidates: 5 },
      emit: async (sources) =>
        sources.map(() => ({
          kind: 'dag',
          vertices: 1,
          k: 5,
          tokenIds: Int32Array.of(1, 2, 3, 4, 5),
          logProbs: new Float32Array(5).fill(Math.log(0.2)),
          transitions: Float32Array.of(Number.NEGATIVE_INFINITY),
        })),
    };
    const search = dagSampling();
    // Nothing is deleted or inserted, so it stays.
    const still = scriptedEditModel({
      vocabularySize: VOCABULARY,
      startTokenId: 7,
      endTokenId: 0,
      placeholderTokenId: 8,
      deletions: (_, canvas) => new Float32Array(canvas.length),
      placeholders: (_, canvas) => new Int32Array(canvas.length - 1),
      score,
    });
    const seen = new Set<string>();
    for (let seed = 0; seed < 12; seed++) {
      const request = { sources: SOURCES, seed };
      const drawn = await collect(search.decode(lattice, request));
      const edited = await collect(levenshtein({ initial: { lattice, search } }).decode(still, request));
      const tokensOf = ({ results }: typeof drawn) => results.map(({ hypotheses }) => [...hypotheses[0].tokenIds]);
      expect(tokensOf(edited)).toEqual(tokensOf(drawn));
      seen.add(String(tokensOf(drawn)));
    }
    expect(seen.size).toBeGreaterThan(2);
  });
});
