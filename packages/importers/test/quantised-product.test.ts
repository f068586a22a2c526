import { Yielder } from '@foretoken/core/kit';
import * as onnxruntime from 'onnxruntime-node';
import { describe, expect, it, vi } from 'vitest';
import { quantisedProduct, quantisedRows, quantisedScores, tableBlockSize } from '../src/blocks/quantised-product.js';
import { GraphBuilder, type Value } from '../src/graphs/graph-builder.js';
import { WeightStore } from '../src/graphs/weight-store.js';

/** More than one block, the last one not full. */
const COLUMNS = 3 * 32 + 8;
const ROWS = 37;

/** Numbers from -0.5 to 0.5 that depend on the seed alone. */
function numbers(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

const VALUES = numbers(ROWS * COLUMNS, 7);
const MATRIX = { dims: [ROWS, COLUMNS], values: async () => VALUES };

type Input = readonly [type: 'float32' | 'int32', dims: readonly number[], values: Float32Array | Int32Array];

/** What a graph of one input computes of several inputs. */
async function outputsOf(
  input: { readonly type: 'float32' | 'int32'; readonly dims: readonly (string | number)[] },
  output: readonly (string | number)[],
  build: (graph: GraphBuilder, x: Value) => Value,
  inputs: readonly Input[],
): Promise<readonly Float32Array[]> {
  const store = new WeightStore('float32');
  const graph = new GraphBuilder(store, 'weights.bin');
  graph.op('Identity', [build(graph, graph.input('x', input.type, input.dims))], {}, { name: 'y' });
  graph.output('y', 'float32', output);
  const pieces: Uint8Array[] = [];
  for await (const piece of store.stream(new Yielder())) pieces.push(piece);
  const session = await onnxruntime.InferenceSession.create(graph.build('product'), {
    externalData: [{ path: 'weights.bin', data: Buffer.concat(pieces) }],
  });
  const results: Float32Array[] = [];
  for (const [type, dims, values] of inputs) {
    const { y } = await session.run({ x: new onnxruntime.Tensor(type, values, dims) });
    results.push(y.data as Float32Array);
  }
  await session.release();
  return results;
}

const states = (count: number): Input => [
  'float32',
  [count, COLUMNS],
  numbers(5 * COLUMNS, 3).subarray(0, count * COLUMNS),
];

const product = (bits: 8 | 4) => (graph: GraphBuilder, x: Value) => quantisedProduct(graph, x, 'matrix', MATRIX, bits);
const scores = (bits: 8 | 4) => (graph: GraphBuilder, x: Value) => quantisedScores(graph, x, 'matrix', MATRIX, bits);
const ofStates = { type: 'float32', dims: ['rows', COLUMNS] } as const;

describe.each([8, 4] as const)('a matrix in %i bits', (bits) => {
  it('multiplies as the matrix itself does, but for what is rounded', async () => {
    const count = 5;
    const [own] = await outputsOf(ofStates, ['rows', ROWS], product(bits), [states(count)]);
    const [, , x] = states(count);
    // A block of 32 products of two numbers of at most 0.5, each off by half a step or by one.
    const step = bits === 8 ? 0.5 / 127 : 0.5 / 8;
    const limit = Math.sqrt(COLUMNS) * 0.5 * (step + 0.5 / 127) * 2;
    let furthest = 0;
    for (let row = 0; row < count; row++) {
      for (let out = 0; out < ROWS; out++) {
        let wanted = 0;
        for (let at = 0; at < COLUMNS; at++) wanted += x[row * COLUMNS + at] * VALUES[out * COLUMNS + at];
        furthest = Math.max(furthest, Math.abs(own[row * ROWS + out] - wanted));
      }
    }
    expect(furthest).toBeGreaterThan(0);
    expect(furthest).toBeLessThan(limit);
  });

  it('scores a row alone as beside others', async () => {
    const [alone, two, five] = await outputsOf(ofStates, ['rows', ROWS], scores(bits), [
      states(1),
      states(2),
      states(5),
    ]);
    expect(alone).toHaveLength(ROWS);
    expect(five).toHaveLength(5 * ROWS);
    expect(alone).toEqual(five.slice(0, ROWS));
    expect(two).toEqual(five.slice(0, 2 * ROWS));
  });

  it('adds a bias in the same operator, to each row alike', async () => {
    const bias = numbers(ROWS, 13);
    const operators: string[] = [];
    const biased = (graph: GraphBuilder, x: Value): Value => {
      const op = vi.spyOn(graph, 'op');
      const added = graph.weight('bias', [ROWS], bias);
      const result = quantisedProduct(graph, x, 'matrix', MATRIX, bits, added);
      operators.push(...op.mock.calls.map(([type]) => type));
      return result;
    };
    const [plain] = await outputsOf(ofStates, ['rows', ROWS], product(bits), [states(5)]);
    const [two, five] = await outputsOf(ofStates, ['rows', ROWS], biased, [states(2), states(5)]);
    expect(operators).toEqual(['MatMulNBits']);
    expect(two).toEqual(five.slice(0, 2 * ROWS));
    for (const [at, value] of five.entries()) expect(value).toBeCloseTo(plain[at] + bias[at % ROWS], 5);
  });

  it('multiplies no score of one row alone, for which a machine may have another kernel', async () => {
    const multiplied = (graph: GraphBuilder, x: Value): Value => {
      const op = vi.spyOn(graph, 'op');
      scores(bits)(graph, x);
      return op.mock.results[op.mock.calls.findIndex(([type]) => type === 'MatMulNBits')].value;
    };
    const [alone] = await outputsOf(ofStates, ['products', ROWS], multiplied, [states(1)]);
    expect(alone).toHaveLength(2 * ROWS);
    expect(alone.slice(0, ROWS)).toEqual(alone.slice(ROWS));
  });
});

describe.each([
  ['narrow', COLUMNS, 32],
  ['wide', 4 * 64 + 8, 64],
] as const)('a %s table of tokens in 8 bits', (_, columns, blockSize) => {
  const values = numbers(ROWS * columns, 7);
  const table = { dims: [ROWS, columns], values: async () => values };

  it('shares a scale among so many neighbours, in products and rows', () => {
    const graph = new GraphBuilder(new WeightStore('float32'), 'weights.bin');
    const op = vi.spyOn(graph, 'op');
    quantisedScores(graph, graph.input('x', 'float32', ['rows', columns]), 'table', table, 8);
    const attributes = op.mock.calls.find(([type]) => type === 'MatMulNBits')?.[2];
    expect(attributes).toMatchObject({ block_size: blockSize });
    expect(tableBlockSize(columns)).toBe(blockSize);
  });

  it('gives its rows within half a step, at their own width', async () => {
    const tokenIds = [0, ROWS - 1, 4, 4];
    const [rows] = await outputsOf(
      { type: 'int32', dims: ['batch', 'time'] },
      ['batch', 'time', columns],
      (graph, x) => quantisedRows(graph, 'table', table, x),
      [['int32', [2, 2], Int32Array.from(tokenIds)]],
    );
    expect(rows).toHaveLength(tokenIds.length * columns);
    for (const [at, id] of tokenIds.entries()) {
      for (let column = 0; column < columns; column++) {
        const difference = Math.abs(rows[at * columns + column] - values[id * columns + column]);
        expect(difference).toBeLessThanOrEqual((0.5 * 0.5 * 1.001) / 127);
      }
    }
  });

  it('scores a row alone as beside others, and as its own rows say', async () => {
    const x = numbers(3 * columns, 3);
    const inputs: Input[] = [1, 3].map((count) => ['float32', [count, columns], x.subarray(0, count * columns)]);
    const scored = (graph: GraphBuilder, rows: Value) => quantisedScores(graph, rows, 'table', table, 8);
    const ofRows = { type: 'float32', dims: ['rows', columns] } as const;
    const [alone, three] = await outputsOf(ofRows, ['rows', ROWS], scored, inputs);
    expect(alone).toEqual(three.slice(0, ROWS));
    for (let out = 0; out < ROWS; out++) {
      let wanted = 0;
      for (let at = 0; at < columns; at++) wanted += x[at] * values[out * columns + at];
      expect(Math.abs(alone[out] - wanted)).toBeLessThan(Math.sqrt(columns) * 0.5 * (1 / 127) * 2);
    }
  });
});
