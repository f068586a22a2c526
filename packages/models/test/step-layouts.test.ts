import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beamSearch } from '@foretoken/beam';
import { collect, type OutputRequest, type TokenSource } from '@foretoken/core';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import { openForests, openSessions } from '@foretoken/core/runtime';
import { greedy, sampling } from '@foretoken/greedy';
import { type ImportOptions, importModel } from '@foretoken/importers';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { TokenEncoding } from '../src/drivers/token-encoder.js';
import { type LoadedModel, loadModel, type MarianManifest } from '../src/index.js';
import {
  canvasOf,
  differenceTo,
  EXPECTED,
  hintsFolder,
  loadStudents,
  SOURCES as STUDENT_SOURCES,
} from './student-fixtures.js';
import { TINY, writeTinyCtc, writeTinyMarian } from './tiny-marian.js';

const END = 2;
const SOURCES: readonly TokenSource[] = [
  [5, 9, 4, 11, END],
  [7, END],
  [3, 3, 8, 14, 15, 6, 10, 12, END],
].map((ids) => Int32Array.from(ids));
const VOCABULARY = TINY.vocabularySize;

let folder: string;
let heads: LoadedModel;
let body: LoadedModel;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-layouts-'));
  const weights = await writeTinyMarian();
  const ctc = await writeTinyCtc();
  const load = async (stepLayout: NonNullable<ImportOptions['stepLayout']>, probe: boolean) => {
    await importModel(weights, join(folder, stepLayout), { weights: 'float16', stepLayout, ctc });
    return loadModel(join(folder, stepLayout), { probe });
  };
  heads = await load('heads', false);
  body = await load('body', true);
});

afterAll(async () => {
  await heads.dispose();
  await body.dispose();
  await rm(folder, { recursive: true, force: true });
  expect(openSessions()).toBe(0);
  expect(openForests()).toBe(0);
});

const partOf = (model: LoadedModel) => model.part('autoregressive');

/** What a model says after every token of `paths`, one row each, in one forward. */
async function scored<Output extends OutputRequest>(model: LoadedModel, paths: readonly number[][], output: Output) {
  const sources = paths.map((_, row) => SOURCES[row % SOURCES.length]);
  await using forest = await partOf(model).open(sources);
  const nodes = new NodeBatch();
  for (const [row, path] of paths.entries()) nodes.addChain(row, ROOT, path, 'all');
  return await forest.extend(nodes, output);
}

const start = VOCABULARY - 1;
const PATHS = [[start, 4, 5, 6], [start], [start, 9, 9, 3, 17, 8, 20]];

function expectClose(actual: Float32Array, wanted: Float32Array): void {
  expect(actual.length).toBe(wanted.length);
  for (const [index, value] of actual.entries()) expect(value).toBeCloseTo(wanted[index], 5);
}

describe('a step of body and vocabulary', () => {
  it('scores as the graphs of single heads do, in every kind of output', async () => {
    const [logits, others] = [
      await scored(body, PATHS, { kind: 'logits' }),
      await scored(heads, PATHS, { kind: 'logits' }),
    ];
    expectClose(logits.logits, others.logits);
    expectClose(
      (await scored(body, PATHS, { kind: 'logProbs' })).logProbs,
      (await scored(heads, PATHS, { kind: 'logProbs' })).logProbs,
    );
    const best = await scored(body, PATHS, { kind: 'argmax' });
    expect(best.tokenIds).toEqual((await scored(heads, PATHS, { kind: 'argmax' })).tokenIds);
    expect([...(best.scores ?? [])]).toEqual([...best.tokenIds].map((id, row) => logits.logits[row * VOCABULARY + id]));
    for (const k of [1, 5, VOCABULARY]) {
      const output = { kind: 'topK', k, states: true } as const;
      const [mine, wanted] = [await scored(body, PATHS, output), await scored(heads, PATHS, output)];
      expect(mine.tokenIds).toEqual(wanted.tokenIds);
      expectClose(mine.logProbs, wanted.logProbs);
      // Everything before the head is the same arithmetic.
      expect(mine.states).toEqual(wanted.states);
    }
  });

  it('encodes sources bit by bit as the encoder that embeds tokens itself', async () => {
    const encode = async (model: LoadedModel) => (await partOf(model).encoder?.encode(SOURCES)) as TokenEncoding;
    const [mine, wanted] = [await encode(body), await encode(heads)];
    expect(mine.states).toEqual(wanted.states);
    expect(mine.cross).toEqual(wanted.cross);
  });

  it('gives a row the same bits, however many nodes and rows are scored beside it', async () => {
    const path = [start, ...Array.from({ length: 39 }, (_, index) => 3 + (index % 17))];
    const alone = (await scored(body, [[start]], { kind: 'logits' })).logits;
    for (const width of [2, 3, 15, 16, 17, 33, 40]) {
      const { logits } = await scored(body, [path.slice(0, width)], { kind: 'logits' });
      expect(logits.subarray(0, VOCABULARY)).toEqual(alone);
    }
    for (const rows of [3, 16, 50]) {
      const { logits } = await scored(body, new Array<number[]>(rows).fill([start]), { kind: 'logits' });
      const pair = (await scored(body, [[start], [start], [start]], { kind: 'logits' })).logits;
      expect(logits.subarray(0, 3 * VOCABULARY)).toEqual(pair);
    }
  });

  it('decodes alike, and opens no graph for any of the strategies', async () => {
    // The other model opens one for each head when it is used first.
    const requests: readonly OutputRequest[] = [{ kind: 'topK', k: 2 }, { kind: 'logProbs' }, { kind: 'logits' }];
    for (const request of requests) await scored(heads, PATHS, request);
    const before = openSessions();
    for (const decoder of [greedy(), beamSearch({ beamSize: 3 }), sampling({ topP: 0.9 })]) {
      const outputs = async (model: LoadedModel) => {
        const { results } = await collect(
          decoder.decode(partOf(model), { sources: SOURCES, maxNewTokens: 12, seed: 5 }),
        );
        return results.map(({ best }) => [...best.tokenIds]);
      };
      const mine = await outputs(body);
      expect(openSessions()).toBe(before);
      expect(mine).toEqual(await outputs(heads));
    }
  });

  it('says what it offers, and refuses what it cannot', async () => {
    expect(body.description.outputs).toEqual(['argmax', 'topK', 'topKWithStates', 'logProbs', 'logits']);
    expect(partOf(body).supports).toEqual(partOf(heads).supports);
    // None where the machine was too busy to measure them.
    expect(partOf(body).costs?.milliseconds(1, 1) ?? 1).toBeGreaterThan(0);
    await expect(scored(body, PATHS, { kind: 'topK', k: 65 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('has students that read its encoder', async () => {
    const emit = async (model: LoadedModel) => model.part('lattice').emit(SOURCES, { k: 4 });
    const [mine, wanted] = [await emit(body), await emit(heads)];
    expect(mine.map(({ tokenIds }) => tokenIds)).toEqual(wanted.map(({ tokenIds }) => tokenIds));
  });
});

test('students read its encoder and give the scores of PyTorch to 1e-4, canvases that embed tokens themselves too', async () => {
  const { model: divided, canvas } = await loadStudents(await hintsFolder({ stepLayout: 'body' }));
  await using _ = divided;
  await using session = await canvas.open(STUDENT_SOURCES);
  const { canvases, logProbs } = EXPECTED.canvasHints;
  const predictions = await session.fill(canvases.map(canvasOf), { kind: 'logProbs' });
  for (const [index, prediction] of predictions.entries()) {
    expect(differenceTo(logProbs[index] ?? [], prediction.logProbs)).toBeLessThan(1e-4);
  }
});

test('a model is disposed of while a step runs', async () => {
  const model = await loadModel(join(folder, 'body'), { probe: false });
  const running = collect(greedy().decode(partOf(model), { sources: SOURCES, maxNewTokens: 30 }));
  const outcome = running.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  );
  await model.dispose();
  expect(['done', 'DISPOSED']).toContain(await outcome);
});

test('models are divided by their size unless told otherwise', async () => {
  const weights = await writeTinyMarian();
  const target = join(folder, 'by-size');
  const manifest = await importModel(weights, target);
  expect((manifest as MarianManifest).graphs.step).toHaveProperty('argmax');
  // What is wrong is refused, as a JavaScript program may pass it.
  const options = { stepLayout: 'fused', replace: true } as object;
  await expect(importModel(weights, target, options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});
