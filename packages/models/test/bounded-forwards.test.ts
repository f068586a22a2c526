import type { TokenSource } from '@foretoken/core';
import { collect } from '@foretoken/core';
import { MAX_FORWARD_CELLS } from '@foretoken/core/kit';
import type { OnnxRuntime } from '@foretoken/core/runtime';
import { greedy } from '@foretoken/greedy';
import { nat, scoreWithModel } from '@foretoken/one-shot';
import { levenshtein, maskPredict } from '@foretoken/refine';
import { speculative } from '@foretoken/speculative';
import { adversarialDrafter, outputsOf, randomScriptedModel } from '@foretoken/testkit';
import * as onnxruntime from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadedModel, loadModel } from '../src/index.js';
import {
  END,
  hintsFolder,
  largestDifference,
  POSITIONS,
  START,
  studentsFolder,
  VOCABULARY,
} from './student-fixtures.js';

/** Inputs whose first two dimensions are the rows and the padded length of what a graph reads. */
const INPUTS = ['token_ids', 'positions', 'source_positions', 'states', 'cross_0', 'hints_token_ids'];

/** Cells of each forward since the last reset, and what was read. */
let cells: number[] = [];
let read: string[] = [];
/** Tokens of each forward that reads some. */
let tokens: number[] = [];

/** ONNX Runtime, writing down the size of each forward. */
const runtime = {
  Tensor: onnxruntime.Tensor,
  InferenceSession: {
    create: async (path: string, options: onnxruntime.InferenceSession.SessionOptions) => {
      const session = await onnxruntime.InferenceSession.create(path, options);
      return {
        run: (feeds: Readonly<Record<string, onnxruntime.Tensor>>) => {
          const sizes = INPUTS.flatMap((name) => feeds[name] ?? []).map(({ dims }) => (dims[0] ?? 0) * (dims[1] ?? 0));
          cells.push(Math.max(...sizes));
          if (feeds.token_ids !== undefined) tokens.push(feeds.token_ids.data.length);
          read.push('states' in feeds ? 'states' : 'source');
          return session.run(feeds);
        },
        release: () => session.release(),
      };
    },
  },
} as unknown as OnnxRuntime;

/** Sources of similar lengths, all different. */
const SOURCES: readonly TokenSource[] = Array.from({ length: 900 }, (_, row) =>
  Int32Array.from({ length: POSITIONS - (row % 3) }, (_unused, position) => {
    const digit = Math.floor(row / 9 ** (position % 4)) % 9;
    return position === POSITIONS - 1 - (row % 3) ? END : 3 + ((digit + position) % 9);
  }),
);
/** Holds longer outputs than the folder's own model. */
const TEACHER = randomScriptedModel({ seed: 1, vocabularySize: VOCABULARY, endTokenId: END });
const SOME = [0, 1, 450, 899];

let plain: LoadedModel;
let hinted: LoadedModel;
beforeAll(async () => {
  plain = await loadModel(await studentsFolder(), { runtime, probe: false });
  hinted = await loadModel(await hintsFolder(), { runtime, probe: false });
});
afterAll(async () => {
  await plain[Symbol.asyncDispose]();
  await hinted[Symbol.asyncDispose]();
});

/** Runs, and asserts that several forwards were taken, none of more than the most cells. */
async function bounded<Result>(run: () => Promise<Result>, min = 2): Promise<Result> {
  cells = [];
  read = [];
  const result = await run();
  expect(Math.max(...cells)).toBeLessThanOrEqual(MAX_FORWARD_CELLS);
  expect(cells.length).toBeGreaterThanOrEqual(min);
  return result;
}

describe('a batch of 900 sources is read in forwards of bounded cells, and gives each row what it gets alone:', () => {
  it('encoder states', async () => {
    const encoder = plain.part('autoregressive').encoder as unknown as {
      encode(
        sources: readonly TokenSource[],
      ): Promise<{ states: Float32Array; statesOf(rows: number[], time: number): Float32Array }>;
    };
    const together = await bounded(() => encoder.encode(SOURCES));
    for (const row of SOME) {
      const source = SOURCES[row];
      const alone = await encoder.encode([source]);
      expect(largestDifference(alone.states, together.statesOf([row], source.length))).toBeLessThan(1e-5);
    }
  });

  it('parts of an encoding', async () => {
    const encoder = plain.part('autoregressive').encoder;
    const whole = await encoder!.encode(SOURCES);
    const rows = [899, 1, 450];
    const sources = rows.map((row) => SOURCES[row]);
    const part = whole.part?.(rows);
    whole.dispose();
    const decode = async (more: object): Promise<number[][]> => {
      await using forest = await plain.part('autoregressive').open(sources, more);
      const nodes = {
        row: Int32Array.of(0, 1, 2),
        parent: Int32Array.of(-1, -1, -1),
        tokenId: Int32Array.of(START, START, START),
      };
      const { logProbs } = await forest.extend(nodes, { kind: 'logProbs' });
      return rows.map((_, row) => [...logProbs.subarray(row * VOCABULARY, (row + 1) * VOCABULARY)]);
    };
    const expected = await decode({});
    for (const [row, logProbs] of (await decode({ encoding: part })).entries()) {
      expect(largestDifference(logProbs, expected[row] ?? [])).toBeLessThan(1e-5);
    }
    part?.dispose();
    await expect(decode({ encoding: part })).rejects.toMatchObject({ code: 'DISPOSED' });
  });

  it('rescoring encodes no source anew', async () => {
    const outputs = SOURCES.map((_, row) => [Int32Array.of(3 + (row % 9), 4), Int32Array.of(5)]);
    const encoding = await plain.part('autoregressive').encoder!.encode(SOURCES);
    cells = [];
    const shared = await scoreWithModel(plain.part('autoregressive'), SOURCES, outputs, { encoding });
    const forwards = cells.length;
    expect(forwards).toBeGreaterThan(2);
    encoding.dispose();
    const own = await scoreWithModel(plain.part('autoregressive'), SOURCES, outputs);
    expect(cells.length).toBeGreaterThan(2 * forwards);
    for (const row of SOME) expect(largestDifference(shared[row] ?? [], own[row] ?? [])).toBeLessThan(1e-5);
  });

  it.each(['ctc', 'dag'] as const)('%s lattices', async (kind) => {
    const model = (kind === 'ctc' ? hinted : plain).part('lattice', { lattice: kind });
    const together = await bounded(() => model.emit(SOURCES, { k: 3 }));
    for (const row of SOME) {
      const [alone] = await model.emit([SOURCES[row]], { k: 3 });
      expect(together[row]?.tokenIds).toEqual(alone?.tokenIds);
      expect(largestDifference(alone.logProbs, together[row].logProbs)).toBeLessThan(1e-5);
    }
  });

  it.each(['ctc', 'dag'] as const)('%s lattices, with states of one forward at a time', async (kind) => {
    const model = (kind === 'ctc' ? hinted : plain).part('lattice', { lattice: kind });
    await bounded(() => model.emit(SOURCES));
    // What is encoded is read at once.
    const pairs = Array.from({ length: read.length / 2 }, (_, at) => read.slice(2 * at, 2 * at + 2));
    for (const pair of pairs) expect(pair).toEqual(['source', 'states']);
    expect(pairs.length).toBeGreaterThan(1);
  });

  const DECODES = {
    'mask-predict': (model: LoadedModel, sources: readonly TokenSource[]) =>
      maskPredict({ iterations: 2 }).decode(model.part('canvas'), { sources }),
    'nat, length beam': (model: LoadedModel, sources: readonly TokenSource[]) =>
      nat({ lengthBeam: 3 }).decode(model.part('canvas'), { sources }),
    'nat, rescored': (model: LoadedModel, sources: readonly TokenSource[]) =>
      nat({ lengthBeam: 2, rescoring: { model: TEACHER } }).decode(model.part('canvas'), { sources }),
    levenshtein: (model: LoadedModel, sources: readonly TokenSource[]) =>
      levenshtein({ iterations: 2 }).decode(model.part('edit'), { sources }),
  };
  for (const [name, decode] of Object.entries(DECODES)) {
    it.each(['without', 'with'])(`${name}, %s hints`, async (hints) => {
      const model = hints === 'with' ? hinted : plain;
      const together = await bounded(() => collect(decode(model, SOURCES)), 4);
      for (const row of SOME) {
        const alone = await collect(decode(model, [SOURCES[row]]));
        expect(outputsOf(together)[row]).toEqual(outputsOf(alone)[0]);
      }
    });
  }
});

it('wide trees of drafts for many rows are verified in forwards of bounded cells, with the outputs of greedy decoding', async () => {
  const target = plain.part('autoregressive');
  const { size, endTokenId = -1 } = target.vocabulary;
  const score = (_: TokenSource, { length }: readonly number[]) =>
    Float32Array.from({ length: size }, (_unused, tokenId) => Math.sin(length * 7 + tokenId * 3));
  const drafter = adversarialDrafter({ kind: 'bush', score, vocabularySize: size, endTokenId, seed: 3 });
  const request = { sources: SOURCES.slice(0, 200) };
  const expected = outputsOf(await collect(greedy().decode(target, request)));
  const decoder = speculative({ drafter, maxNodes: 64, maxDepth: 8 });
  tokens = [];
  const outputs = outputsOf(await collect(decoder.decode(target, request)));
  expect(Math.max(...tokens)).toBeLessThanOrEqual(MAX_FORWARD_CELLS);
  expect(tokens.length).toBeGreaterThan(20);
  expect(outputs).toEqual(expected);
});
