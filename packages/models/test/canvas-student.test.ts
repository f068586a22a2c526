import { type Canvas, type CanvasModel, type CanvasSession, collect, type TokenSource } from '@foretoken/core';
import { openSessions } from '@foretoken/core/runtime';
import { maskPredict } from '@foretoken/refine';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadedModel, loadModel } from '../src/index.js';
import {
  canvasOf,
  codeOf,
  differenceTo,
  END,
  EXPECTED,
  imported,
  largestDifference,
  loadStudents,
  MASK,
  POSITIONS,
  SOURCES,
  studentsFolder,
  useStudents,
  VOCABULARY,
  weightsOf,
} from './student-fixtures.js';

let model: LoadedModel;
let canvas: CanvasModel<TokenSource>;
let masked: LoadedModel;
useStudents(studentsFolder, (students) => {
  ({ model, canvas } = students);
});
// Released first: hooks that end are run from the last to the first.
beforeAll(async () => {
  masked = await loadModel(await imported(await weightsOf('masked-lm'), { weights: 'float32' }));
});
afterAll(async () => {
  await masked[Symbol.asyncDispose]();
});

async function withSession<Result>(
  sources: readonly TokenSource[],
  run: (session: CanvasSession) => Promise<Result>,
  of: CanvasModel<TokenSource> = canvas,
): Promise<Result> {
  await using session = await of.open(sources);
  return await run(session);
}

const LOG_PROBS = { kind: 'logProbs' } as const;
const canvases = EXPECTED.canvas.canvases.map(canvasOf);

describe('a canvas student on ONNX Runtime', () => {
  it('gives the log-probabilities of PyTorch to 1e-4, and none to tokens outside the head', async () => {
    const predictions = await withSession(SOURCES, (session) => session.fill(canvases, LOG_PROBS));
    for (const [index, { row, logProbs }] of predictions.entries()) {
      expect(row).toBe(canvases[index]?.row);
      expect(differenceTo(EXPECTED.canvas.logProbs[index] ?? [], logProbs)).toBeLessThan(1e-4);
    }
  });

  it('ranks the possible lengths as PyTorch does, to 1e-4', async () => {
    const all = await withSession(SOURCES, (session) => session.predictLengths(100));
    for (const [row, { lengths, logProbs }] of all.entries()) {
      const wanted = Object.entries(EXPECTED.canvas.lengths[row] ?? {}).sort(([, a], [, b]) => b - a);
      expect([...lengths]).toEqual(wanted.map(([length]) => Number(length)));
      expect(Math.min(...lengths)).toBeGreaterThanOrEqual(1);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(POSITIONS);
      const expected = wanted.map(([, logProb]) => logProb);
      expect(largestDifference(expected, logProbs)).toBeLessThan(1e-4);
    }
    // Both ends of the range rule lengths out.
    expect(all.map(({ lengths }) => lengths.length)).toEqual([8, 5, 7]);
    const best = await withSession(SOURCES, (session) => session.predictLengths(2));
    expect(best.map(({ lengths }) => [...lengths])).toEqual(all.map(({ lengths }) => [...lengths.subarray(0, 2)]));
  });

  it('agrees with itself across the three outputs', async () => {
    await withSession(SOURCES, async (session) => {
      const full = await session.fill(canvases, LOG_PROBS);
      const best = await session.fill(canvases, { kind: 'argmax' });
      const top = await session.fill(canvases, { kind: 'topK', k: 4 });
      for (const [index, { tokenIds }] of canvases.entries()) {
        for (let position = 0; position < tokenIds.length; position++) {
          const scores = full[index].logProbs.subarray(position * VOCABULARY, (position + 1) * VOCABULARY);
          const order = [...scores.keys()].sort((a, b) => scores[b] - scores[a]);
          expect(best[index].tokenIds[position]).toBe(order[0]);
          const at = 4 * position;
          expect([...top[index].tokenIds].slice(at, at + 4)).toEqual(order.slice(0, 4));
          const wanted = order.slice(0, 4).map((tokenId) => scores[tokenId]);
          expect(largestDifference(wanted, top[index].logProbs.subarray(at, at + 4))).toBeLessThan(1e-5);
        }
      }
    });
  });

  it('gives every canvas of any fill what it gets alone: any rows, repeated, in any order, of any lengths', async () => {
    const oneOf = fc.record({
      row: fc.integer({ min: 0, max: SOURCES.length - 1 }),
      tokenIds: fc
        .array(fc.oneof(fc.constant(MASK), fc.integer({ min: 0, max: VOCABULARY - 1 })), {
          minLength: 0,
          maxLength: POSITIONS,
        })
        .map((ids) => Int32Array.from(ids)),
    });
    const alone = async ({ row, tokenIds }: Canvas): Promise<Float32Array> => {
      const source = SOURCES[row];
      const [prediction] = await withSession([source], (session) => session.fill([{ row: 0, tokenIds }], LOG_PROBS));
      return prediction?.logProbs as Float32Array;
    };
    await withSession(SOURCES, (session) =>
      fc.assert(
        fc.asyncProperty(fc.array(oneOf, { minLength: 1, maxLength: 6 }), async (fill) => {
          const before = fill.map(({ tokenIds }) => tokenIds.slice());
          const together = await session.fill(fill, LOG_PROBS);
          expect(fill.map(({ tokenIds }) => tokenIds)).toEqual(before);
          for (const [index, one] of fill.entries()) {
            expect(together[index]?.row).toBe(one.row);
            expect(largestDifference(await alone(one), together[index].logProbs)).toBeLessThan(1e-5);
          }
        }),
        { numRuns: 30 },
      ),
    );
  });

  it('shares the encoder and its encodings, and outlives them', async () => {
    expect(canvas.encoder).toBe(model.part('autoregressive').encoder);
    const encoding = await canvas.encoder?.encode(SOURCES);
    await using session = await canvas.open(SOURCES, { encoding: encoding as never });
    encoding?.dispose();
    const [first] = await session.fill(canvases, LOG_PROBS);
    expect(differenceTo(EXPECTED.canvas.logProbs[0] ?? [], first.logProbs)).toBeLessThan(1e-4);
  });

  it('serves mask-predict from its own lengths', async () => {
    const outputs: number[][] = [];
    for await (const event of maskPredict({ iterations: 3 }).decode(canvas, { sources: SOURCES })) {
      if (event.type !== 'decode-end') continue;
      outputs.push(...event.results.map(({ hypotheses }) => [...(hypotheses[0]?.tokenIds ?? [])]));
    }
    expect(outputs.length).toBe(SOURCES.length);
    for (const output of outputs) expect(output).not.toContain(MASK);
  });

  it('refuses by code what it cannot do', async () => {
    const open = (sources: readonly TokenSource[], encoding?: unknown) => () =>
      canvas.open(sources, encoding === undefined ? {} : { encoding: encoding as never });
    expect(await codeOf(open([]))).toBe('EMPTY_SOURCE');
    expect(await codeOf(open([new Int32Array()]))).toBe('EMPTY_SOURCE');
    expect(await codeOf(open([new Int32Array(POSITIONS + 1).fill(3)]))).toBe('SOURCE_TOO_LONG');
    expect(await codeOf(open(SOURCES, { rows: SOURCES.length, dispose: () => {} }))).toBe('INVALID_ARGUMENT');
    const encoding = await canvas.encoder?.encode(SOURCES);
    expect(await codeOf(open(SOURCES.slice(1), encoding))).toBe('INVALID_ARGUMENT');
    encoding?.dispose();
    expect(await codeOf(open(SOURCES, encoding))).toBe('DISPOSED');

    const session = await canvas.open(SOURCES);
    const one = (tokenIds: readonly number[], row = 0): Canvas => ({ row, tokenIds: Int32Array.from(tokenIds) });
    const fill =
      (given: readonly Canvas[], output: object = LOG_PROBS) =>
      () =>
        session.fill(given, output as never);
    expect(await codeOf(fill([one(new Array(POSITIONS).fill(MASK))]))).toBe('no error');
    expect(await codeOf(fill([one(new Array(POSITIONS + 1).fill(MASK))]))).toBe('LENGTH_LIMIT');
    expect(await codeOf(fill([]))).toBe('INVALID_ARGUMENT');
    for (const wrong of [one([VOCABULARY]), one([-1]), one([MASK], 3), one([MASK], -1), one([MASK], 0.5)]) {
      expect(await codeOf(fill([one([MASK]), wrong]))).toBe('INVALID_ARGUMENT');
    }
    for (const k of [0, 1.5, 10]) {
      expect(await codeOf(fill([one([MASK])], { kind: 'topK', k }))).toBe('INVALID_ARGUMENT');
    }
    expect(await codeOf(fill([one([MASK])], { kind: 'logits' }))).toBe('UNSUPPORTED_CAPABILITY');
    expect(await codeOf(fill([one([MASK])], { kind: 'topKWithStates', k: 1 }))).toBe('UNSUPPORTED_CAPABILITY');
    expect(await codeOf(() => session.predictLengths(0))).toBe('INVALID_ARGUMENT');
    await expect(session.fill(canvases, LOG_PROBS, AbortSignal.abort('enough'))).rejects.toBe('enough');
    await session[Symbol.asyncDispose]();
    await session[Symbol.asyncDispose]();
    expect(await codeOf(fill([one([MASK])]))).toBe('DISPOSED');
    expect(await codeOf(() => session.predictLengths(1))).toBe('DISPOSED');
  });

  it('is disposed of with its model, and opens nothing afterwards', async () => {
    const open = openSessions();
    const other = await loadStudents(await studentsFolder());
    const session = await other.canvas.open(SOURCES);
    await session.fill(canvases, LOG_PROBS);
    await other.model[Symbol.asyncDispose]();
    expect(await codeOf(() => session.fill(canvases, LOG_PROBS))).toBe('DISPOSED');
    expect(await codeOf(() => session.fill(canvases, { kind: 'argmax' }))).toBe('DISPOSED');
    expect(openSessions()).toBe(open);
  });

  it('stays close when weights are stored as fp16', async () => {
    const half = await loadStudents(await studentsFolder({ weights: 'float16' }));
    try {
      const predictions = await withSession(SOURCES, (session) => session.fill(canvases, LOG_PROBS), half.canvas);
      for (const [index, { logProbs }] of predictions.entries()) {
        expect(differenceTo(EXPECTED.canvas.logProbs[index] ?? [], logProbs)).toBeLessThan(0.05);
      }
    } finally {
      await half.model[Symbol.asyncDispose]();
    }
  });
});

describe('a masked language model on ONNX Runtime', () => {
  const languageModel = () => masked.part('canvas');
  const nothing = EXPECTED.maskedLanguageModel.canvases.map(() => new Int32Array());

  it('is a folder of its own, with canvases and nothing else', () => {
    expect(masked.manifest.family).toBe('masked-lm');
    expect(masked.find('autoregressive')).toBeUndefined();
    expect(languageModel()).toMatchObject({
      maskTokenId: MASK,
      maxLength: POSITIONS,
      supports: { outputs: ['argmax', 'topK', 'logProbs'], lengths: false },
    });
    expect(languageModel().encoder).toBeUndefined();
    expect(masked.tokenizer.decode([3, 4])).toBe(masked.tokenizer.decode([3, 4, END]));
  });

  it.each([undefined, null])('needs no end token: eos_token_id %s', async (eos_token_id) => {
    await using endless = await loadModel(await imported(await weightsOf('masked-lm', { eos_token_id })));
    expect(endless.manifest.vocabulary).not.toHaveProperty('endTokenId');
    const { tokenizer } = endless;
    const canvas = endless.part('canvas');
    expect(canvas.vocabulary.endTokenId).toBeUndefined();
    const text = 'a line';
    expect([...tokenizer.encode(text)]).toEqual([...masked.tokenizer.encode(text)]);
    const request = { sources: [new Int32Array()] };
    const { results } = await collect(maskPredict({ length: 5 }).decode(canvas, request));
    expect(results[0]?.best).toMatchObject({ finishReason: 'complete', tokenIds: { length: 5 } });
  });

  it('gives the log-probabilities of PyTorch to 1e-4, whatever the sources', async () => {
    const { canvases: given, logProbs } = EXPECTED.maskedLanguageModel;
    for (const sources of [nothing, SOURCES]) {
      await withSession(
        sources,
        async (session) => {
          const predictions = await session.fill(given.map(canvasOf), LOG_PROBS);
          for (const [index, prediction] of predictions.entries()) {
            expect(differenceTo(logProbs[index] ?? [], prediction.logProbs)).toBeLessThan(1e-4);
          }
        },
        languageModel(),
      );
    }
  });

  it('refuses by code what it cannot do', async () => {
    expect(await codeOf(() => languageModel().open([]))).toBe('EMPTY_SOURCE');
    const encoding = { rows: 1, dispose: () => {} };
    expect(await codeOf(() => languageModel().open([new Int32Array()], { encoding }))).toBe('INVALID_ARGUMENT');
    await withSession(
      nothing,
      async (session) => {
        expect(await codeOf(() => session.predictLengths(1))).toBe('UNSUPPORTED_CAPABILITY');
      },
      languageModel(),
    );
    expect(await codeOf(async () => imported(await weightsOf('masked-lm'), { canvas: 'x' }))).toBe('INVALID_ARGUMENT');
  });
});
