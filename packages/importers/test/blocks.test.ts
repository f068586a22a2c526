import { Yielder } from '@foretoken/core/kit';
import * as onnxruntime from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { blockContext } from '../src/blocks/block-context.js';
import {
  encoderLayer,
  type Layer,
  type LayerStyle,
  POST_NORM,
  readingLayer,
} from '../src/blocks/transformer-layers.js';
import { GraphBuilder } from '../src/graphs/graph-builder.js';
import { WeightStore } from '../src/graphs/weight-store.js';
import type { TensorOf } from '../src/tensors/tensor-reader.js';

const WIDTH = 6;
const HEADS = 2;
const INNER = 5;
const TIME = 4;
const SOURCE = 3;

type Matrix = number[][];

/** Weights that depend on their name and shape alone. */
function weight(name: string, dims: readonly number[]): Float32Array {
  let state = [...name].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) >>> 0, 7);
  return Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

function matrix(values: Float32Array, columns: number): Matrix {
  return Array.from({ length: values.length / columns }, (_, row) => [
    ...values.subarray(row * columns, (row + 1) * columns),
  ]);
}

/** One layer in plain loops, by the definition of its style; positions whose mask is 0 are not seen. */
function plainLayer(
  { style, prefix }: Layer,
  x: Matrix,
  mask: readonly number[],
  source?: { keys: Matrix; values: Matrix },
): Matrix {
  const { names } = style;
  const linear = (rows: Matrix, name: string, outputs: number): Matrix => {
    const inputs = rows[0]?.length;
    const w = matrix(weight(`${name}.weight`, [outputs, inputs]), inputs);
    const b = style.biased ? weight(`${name}.bias`, [outputs]) : new Float32Array(outputs);
    return rows.map((row) => w.map((of, out) => of.reduce((sum, value, index) => sum + value * row[index], b[out])));
  };
  const norm = (rows: Matrix, name: string): Matrix => {
    const [scale, bias] = [weight(`${name}.weight`, [WIDTH]), weight(`${name}.bias`, [WIDTH])];
    return rows.map((row) => {
      const mean = row.reduce((a, b) => a + b, 0) / WIDTH;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / WIDTH;
      return row.map((value, index) => ((value - mean) / Math.sqrt(variance + 1e-5)) * scale[index] + bias[index]);
    });
  };
  const attend = (queries: Matrix, keys: Matrix, values: Matrix, seen: readonly number[]): Matrix =>
    queries.map((query) => {
      const size = WIDTH / HEADS;
      return Array.from({ length: HEADS }, (_, head) => {
        const part = (row: number[]) => row.slice(head * size, (head + 1) * size);
        const scores = keys.map((key, index) =>
          seen[index] === 0
            ? Number.NEGATIVE_INFINITY
            : part(query).reduce((sum, value, at) => sum + value * part(key)[at], 0) / Math.sqrt(size),
        );
        const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
        return Array.from({ length: size }, (_, at) =>
          values.reduce((sum, value, index) => sum + (Math.exp(scores[index]) / total) * part(value)[at], 0),
        );
      }).flat();
    });
  const block = (rows: Matrix, name: string, sublayer: (rows: Matrix) => Matrix): Matrix => {
    const add = (a: Matrix, b: Matrix): Matrix => a.map((row, at) => row.map((value, index) => value + b[at]?.[index]));
    return style.norm === 'pre' ? add(rows, sublayer(norm(rows, name))) : norm(add(rows, sublayer(rows)), name);
  };
  const own = `${prefix}.${names.selfAttention}`;
  const { query, key, value, out } = names.projections;
  let at = block(x, `${prefix}.${names.selfAttentionNorm}`, (rows) => {
    const [q, k, v] = [query, key, value].map((part) => linear(rows, `${own}.${part}`, WIDTH)) as [
      Matrix,
      Matrix,
      Matrix,
    ];
    return linear(attend(q, k, v, mask), `${own}.${out}`, WIDTH);
  });
  if (source !== undefined) {
    const cross = `${prefix}.${names.crossAttention}`;
    at = block(at, `${prefix}.${names.crossAttentionNorm}`, (rows) =>
      linear(
        attend(linear(rows, `${cross}.${query}`, WIDTH), source.keys, source.values, [1, 1, 1]),
        `${cross}.${out}`,
        WIDTH,
      ),
    );
  }
  return block(at, `${prefix}.${names.feedForwardNorm}`, (rows) => {
    const hidden = linear(rows, `${prefix}.${names.feedForward.up}`, INNER);
    const active = hidden.map((row) => row.map((z) => z / (1 + Math.exp(-z))));
    return linear(active, `${prefix}.${names.feedForward.down}`, WIDTH);
  });
}

/** The same layer as a graph. */
async function graphLayer(
  layer: Layer,
  reads: boolean,
  precision: 'float32' | 'int8',
  x: Matrix,
  mask: readonly number[],
  source: { keys: Matrix; values: Matrix },
) {
  const store = new WeightStore('float32');
  const graph = new GraphBuilder(store, 'weights.bin');
  const tensorOf: TensorOf = (name, dims) => ({ dims, values: async () => weight(name, dims) });
  const context = blockContext(graph, tensorOf, { precision });
  const input = graph.input('x', 'float32', ['batch', 'time', WIDTH]);
  const masked = graph.input('mask', 'int32', ['batch', 'time']);
  const keys = reads ? graph.input('keys', 'float32', ['batch', 'source', WIDTH]) : '';
  const values = reads ? graph.input('values', 'float32', ['batch', 'source', WIDTH]) : '';
  const bias = reads ? graph.input('bias', 'float32', ['batch', 1, 'time', 'source']) : '';
  const y = reads
    ? readingLayer(context, layer, input, masked, { keys, values, bias })
    : encoderLayer(context, layer, input, masked);
  graph.op('Identity', [y], {}, { name: 'y' });
  graph.output('y', 'float32', ['batch', 'time', WIDTH]);
  const pieces: Uint8Array[] = [];
  for await (const piece of store.stream(new Yielder())) pieces.push(piece);
  const session = await onnxruntime.InferenceSession.create(graph.build('layer'), {
    externalData: [{ path: 'weights.bin', data: Buffer.concat(pieces) }],
  });
  const float = (rows: Matrix) =>
    new onnxruntime.Tensor('float32', Float32Array.from(rows.flat()), [1, rows.length, WIDTH]);
  const feeds: Record<string, onnxruntime.Tensor> = {
    x: float(x),
    mask: new onnxruntime.Tensor('int32', Int32Array.from(mask), [1, TIME]),
  };
  if (reads) {
    feeds.keys = float(source.keys);
    feeds.values = float(source.values);
    feeds.bias = new onnxruntime.Tensor('float32', new Float32Array(TIME * SOURCE), [1, 1, TIME, SOURCE]);
  }
  const { y: result } = await session.run(feeds);
  await session.release();
  return matrix(result?.data as Float32Array, WIDTH);
}

const OTHER_NAMES: LayerStyle['names'] = {
  selfAttention: 'attn',
  selfAttentionNorm: 'ln_1',
  crossAttention: 'cross',
  crossAttentionNorm: 'ln_x',
  projections: { query: 'q', key: 'k', value: 'v', out: 'o' },
  feedForward: { up: 'wi', down: 'wo' },
  feedForwardNorm: 'ln_2',
};

describe.each(['post', 'pre'] as const)('a layer that is normalised %s its blocks', (norm) => {
  it.each([
    ['with biases, alone', true, false],
    ['without biases, alone', false, false],
    ['with biases, reading a source', true, true],
    ['without biases, reading a source', false, true],
  ])('%s, computes what its definition says', async (_, biased, reads) => {
    for (const names of [POST_NORM.names, OTHER_NAMES]) {
      const layer: Layer = {
        shape: { width: WIDTH, heads: HEADS, feedForward: INNER },
        style: { norm, biased, names },
        prefix: 'layers.3',
      };
      const x = matrix(weight('x', [TIME, WIDTH]), WIDTH);
      const source = {
        keys: matrix(weight('keys', [SOURCE, WIDTH]), WIDTH),
        values: matrix(weight('values', [SOURCE, WIDTH]), WIDTH),
      };
      const mask = [1, 1, 1, 0];
      const wanted = plainLayer(layer, x, mask, reads ? source : undefined);
      const shown = (rows: Matrix) => rows.slice(0, 3).flat();
      for (const [precision, digits] of [
        ['float32', 4],
        ['int8', 1],
      ] as const) {
        const actual = shown(await graphLayer(layer, reads, precision, x, mask, source));
        for (const [index, value] of shown(wanted).entries()) expect(actual[index]).toBeCloseTo(value, digits);
      }
    }
  });
});

describe('a choice of two branches', () => {
  it('computes one of them, with the weights and constants that either names, one choice inside another', async () => {
    const store = new WeightStore('float16');
    const graph = new GraphBuilder(store, 'weights.bin');
    const which = graph.input('which', 'int32', [1]);
    const x = graph.input('x', 'float32', ['n']);
    const is = (value: number) => graph.op('Equal', [which, graph.constant('int32', [1], [value])]);
    const times = (value: number) => () => [
      graph.op('Mul', [x, graph.weight(`times ${value}`, [1], Float32Array.of(value))]),
      graph.op('Identity', [graph.constant('int64', [1], [value])]),
    ];
    const types = ['float32', 'int64'] as const;
    const [y, n] = graph.choose(is(0), types, times(2), () => graph.choose(is(1), types, times(3), times(5)));
    graph.output(y, 'float32', ['n']);
    graph.output(n, 'int64', [1]);
    const pieces: Uint8Array[] = [];
    for await (const piece of store.stream(new Yielder())) pieces.push(piece);
    const session = await onnxruntime.InferenceSession.create(graph.build('choice'), {
      externalData: [{ path: 'weights.bin', data: Buffer.concat(pieces) }],
    });
    for (const [choice, factor] of [2, 3, 5].entries()) {
      const results = await session.run({
        which: new onnxruntime.Tensor('int32', Int32Array.of(choice), [1]),
        x: new onnxruntime.Tensor('float32', Float32Array.of(1, -2), [2]),
      });
      expect(results[y]?.data).toEqual(Float32Array.of(factor, -2 * factor));
      expect(results[n]?.data).toEqual(BigInt64Array.of(BigInt(factor)));
    }
    await session.release();
  });
});
