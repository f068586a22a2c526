import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beamSearch } from '@foretoken/beam';
import { collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { loadModel } from '@foretoken/models';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { logSoftmax } from '@foretoken/testkit';
import * as onnxRuntime from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { GraphBuilder, type Value } from '../src/graphs/graph-builder.js';
import { WeightStore } from '../src/graphs/weight-store.js';
import { importRecurrentSteps } from '../src/index.js';
import { parent } from './recurrent-fixtures.js';

const SYMBOLS = ['<p>', '<s>', '</s>', 'a', 'b', 'c'];
const [SIZE, WIDTH, LAYERS] = [SYMBOLS.length, 4, 2];

interface Told {
  readonly linear_before_reset?: number;
  /** No attribute: whether its seventh input is there. */
  readonly peepholes?: number;
  readonly clip?: { readonly float: number };
  readonly input_forget?: number;
}
type Cell = readonly [kind: 'GRU' | 'RNN' | 'LSTM', told: Told, layout: 'layers first' | 'batch first'];

/** Cells of ONNX with what exporters tell them, and where their states have the batch. */
const CELLS: readonly Cell[] = [
  ['GRU', { linear_before_reset: 0 }, 'layers first'],
  ['GRU', { linear_before_reset: 1 }, 'batch first'],
  ['RNN', {}, 'layers first'],
  ['LSTM', {}, 'batch first'],
  ['LSTM', { peepholes: 1 }, 'layers first'],
  ['LSTM', { clip: { float: 0.7 } }, 'batch first'],
  ['LSTM', { peepholes: 1, clip: { float: 0.7 }, input_forget: 1 }, 'layers first'],
];

const GATES = { GRU: 3, RNN: 1, LSTM: 4 };

/** A step of two layers with random weights; its token is int32. */
async function stepOf([kind, told, layout]: Cell, file: string): Promise<readonly string[]> {
  const graph = new GraphBuilder(new WeightStore('float32'), 'none.bin');
  let state = 15;
  const random = (dims: readonly number[], scale: number): Value => {
    const values = Array.from({ length: dims.reduce((product, size) => product * size, 1) }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return scale * (state / 2 ** 31 - 1);
    });
    return graph.constant('float32', dims, values);
  };
  const states = kind === 'LSTM' ? ['h', 'c'] : ['h'];
  const dims = layout === 'layers first' ? [LAYERS, 'batch', WIDTH] : ['batch', LAYERS, WIDTH];
  const turned = (value: Value): Value =>
    layout === 'layers first' ? value : graph.op('Transpose', [value], { perm: [1, 0, 2] });
  const token = graph.input('token', 'int32', ['batch', 1]);
  const first = states.map((name) => turned(graph.input(name, 'float32', dims)));
  const embedded = graph.op('Gather', [random([SIZE, WIDTH], 2), token]);
  let x = graph.op('Transpose', [embedded], { perm: [1, 0, 2] });
  const { peepholes, ...attributes } = told;
  const next: Value[][] = states.map(() => []);
  for (let layer = 0; layer < LAYERS; layer++) {
    const rows = GATES[kind] * WIDTH;
    const weights = [random([1, rows, WIDTH], 1.6), random([1, rows, WIDTH], 1.6), random([1, 2 * rows], 0.6)];
    const own = first.map((value) => graph.op('Gather', [value, graph.constant('int64', [1], [layer])]));
    const inputs = [x, ...weights, '', ...own, ...(peepholes === 1 ? [random([1, 3 * WIDTH], 1)] : [])];
    const [all, ...after] = graph.ops(kind, inputs, 1 + states.length, { hidden_size: WIDTH, ...attributes });
    for (const [at, value] of after.entries()) next[at].push(value);
    x = graph.op('Squeeze', [all, graph.constant('int64', [1], [1])]);
  }
  const last = graph.op('Squeeze', [x, graph.constant('int64', [1], [0])]);
  graph.op('MatMul', [last, random([WIDTH, SIZE], 3)], {}, { name: 'scores' });
  graph.output('scores', 'float32', ['batch', SIZE]);
  for (const [at, name] of states.entries()) {
    const whole = turned(graph.op('Concat', next[at], { axis: 0 }));
    graph.op('Identity', [whole], {}, { name: `${name}_out` });
    graph.output(`${name}_out`, 'float32', dims);
  }
  await writeFile(file, graph.build('step'));
  return states;
}

type States = Readonly<Record<string, onnxRuntime.Tensor>>;

/** The step run token by token, with a batch of one. */
async function plainLoop([, , layout]: Cell, file: string, names: readonly string[]) {
  const session = await onnxRuntime.InferenceSession.create(file);
  const dims = layout === 'layers first' ? [LAYERS, 1, WIDTH] : [1, LAYERS, WIDTH];
  const start: States = Object.fromEntries(
    names.map((name) => [name, new onnxRuntime.Tensor('float32', new Float32Array(LAYERS * WIDTH), dims)]),
  );
  const step = async (token: number, states: States) => {
    const fed = { token: new onnxRuntime.Tensor('int32', Int32Array.of(token), [1, 1]), ...states };
    const results = await session.run(fed);
    const after = Object.fromEntries(names.map((name) => [name, results[`${name}_out`]]));
    return { logProbs: logSoftmax(Float64Array.from(results.scores.data as Float32Array)), states: after };
  };
  const after = async (prompt: readonly number[]) => {
    let found = await step(1, start);
    for (const token of prompt) found = await step(token, found.states);
    return found;
  };
  return { step, after, release: () => session.release() };
}

describe('steps of the recurrent cells of ONNX', () => {
  it.each(CELLS)('%s %o, %s: greedy, drafts and beams are those of a plain loop', async (...cell) => {
    const file = join(parent, `cell-${CELLS.findIndex((one) => one[1] === cell[1])}.onnx`);
    const names = await stepOf(cell, file);
    const target = file.replace('.onnx', '');
    await importRecurrentSteps(file, target, { symbols: { target: SYMBOLS }, startTokenId: 1, endTokenId: 2 });
    await using loaded = await loadModel(target);
    const model = loaded.part('autoregressive');
    const prompts = [[], [3, 4, 5], [5]];
    const sources = prompts.map((prompt) => Int32Array.from(prompt));
    const plain = await plainLoop(cell, file, names);
    const expected: number[][] = [];
    const best: { readonly tokenIds: readonly number[]; readonly logProb: number }[][] = [];
    for (const prompt of prompts) {
      const first = await plain.after(prompt);
      const output: number[] = [];
      for (let now = first; output.length < 8; ) {
        const token = now.logProbs.indexOf(Math.max(...now.logProbs));
        if (token === 2) break;
        output.push(token);
        now = await plain.step(token, now.states);
      }
      expected.push(output);
      const all = [{ tokenIds: [] as number[], logProb: first.logProbs[2] }];
      for (const one of [0, 1, 3, 4, 5]) {
        const { logProbs } = await plain.step(one, first.states);
        for (const [two, logProb] of logProbs.entries()) {
          all.push({ tokenIds: two === 2 ? [one] : [one, two], logProb: first.logProbs[one] + logProb });
        }
      }
      best.push(all.sort((a, b) => b.logProb - a.logProb).slice(0, 3));
    }
    await plain.release();
    const drafter = ngramDrafter({ vocabulary: model.vocabulary });
    for (const decoder of [greedy(), speculative({ drafter })]) {
      const { results } = await collect(decoder.decode(model, { sources, maxNewTokens: 8 }));
      expect(results.map((result) => [...result.best.tokenIds])).toEqual(expected);
    }
    const search = beamSearch({ beamSize: 24, hypotheses: 3, lengthPenalty: 0 });
    const { results } = await collect(search.decode(model, { sources, maxNewTokens: 2 }));
    for (const [row, { hypotheses }] of results.entries()) {
      expect(hypotheses.map(({ tokenIds }) => [...tokenIds])).toEqual(best[row].map(({ tokenIds }) => tokenIds));
      for (const [place, { logProb = Number.NaN }] of hypotheses.entries()) {
        expect(Math.abs(logProb - best[row][place].logProb)).toBeLessThan(1e-4);
      }
    }
  });
});
