import { ELEMENT_TYPE } from '@foretoken/models/internal';
import { CONTRIB, type GraphBuilder, type Value } from '../graphs/graph-builder.js';
import type { DeferredDense } from '../tensors/matrices.js';
import { quantiseBlocks } from '../tensors/quantise-blocks.js';

/** Rows of inputs are quantised to 8 bits too, a block of a row at a time, so products are of whole numbers. */
const INTEGER_PRODUCTS = 4;

/** Neighbours of a row that share a scale. */
const BLOCK_SIZE = 32;

/**
 * The same in a table of tokens of `WIDE` columns or more. There half as many scales take less memory, and a model of 74 million
 * weights decodes in an eighth less time. In narrow tables and in other matrices they cost accuracy.
 */
const WIDE_BLOCK_SIZE = 64;
const WIDE = 256;

/** In the place of an input that is left out. */
const NONE: Value = '';

/** Neighbours that share a scale in a row of a table of tokens. */
export function tableBlockSize(columns: number): number {
  return columns >= WIDE ? WIDE_BLOCK_SIZE : BLOCK_SIZE;
}

/** The blocks of a matrix `[out, in]` as values of the graph, under `name`. */
function blocksOf(graph: GraphBuilder, name: string, matrix: DeferredDense, bits: 8 | 4, size: number) {
  const { dims, quantised, scales, zeroDims, zeros } = quantiseBlocks(matrix, bits, size);
  return {
    quantised: graph.weightUint8(`${name}.int${bits}`, dims, quantised),
    scales: graph.weight(`${name}.int${bits}.scales`, dims.slice(0, 2), scales, true),
    zeros: graph.weightUint8(`${name}.int${bits}.zeros`, zeroDims, zeros),
  };
}

/**
 * `x @ matrix` transposed, the matrix `[out, in]` in 8 or 4 bits by blocks, and `+ bias [out]` where one is given. A row of the
 * result does not depend on the rows beside it: its input is quantised by its own blocks.
 */
export function quantisedProduct(
  graph: GraphBuilder,
  x: Value,
  name: string,
  matrix: DeferredDense,
  bits: 8 | 4,
  bias?: Value,
  size: number = BLOCK_SIZE,
): Value {
  const [outputs, inputs] = matrix.dims;
  const { quantised, scales, zeros } = blocksOf(graph, name, matrix, bits, size);
  const attributes = { K: inputs, N: outputs, bits, block_size: size, accuracy_level: INTEGER_PRODUCTS };
  // Added as results are written, a bias costs no operator of its own.
  const added = bias === undefined ? [] : [NONE, bias];
  return graph.op('MatMulNBits', [x, quantised, scales, zeros, ...added], attributes, { domain: CONTRIB });
}

/**
 * `quantisedProduct` of rows `[rows, in]` of which there may be one, and a table of tokens. A machine may multiply one row alone by another kernel, so the
 * first is multiplied twice, and the second result is left out.
 */
export function quantisedScores(
  graph: GraphBuilder,
  rows: Value,
  name: string,
  matrix: DeferredDense,
  bits: 8 | 4,
): Value {
  const list = (...values: number[]): Value => graph.constant('int64', [values.length], values);
  const first = graph.op('Slice', [rows, list(0), list(1), list(0)]);
  const more = graph.op('Concat', [rows, first], { axis: 0 });
  const product = quantisedProduct(graph, more, name, matrix, bits, undefined, tableBlockSize(matrix.dims[1]));
  return graph.op('Slice', [product, list(0), list(-1), list(0)]);
}

/** Rows `[.., columns]` of a table `[rows, columns]` in 8 bits, which `quantisedScores` may multiply with too. */
export function quantisedRows(graph: GraphBuilder, name: string, table: DeferredDense, indices: Value): Value {
  const [, columns] = table.dims;
  const size = tableBlockSize(columns);
  const { quantised, scales, zeros } = blocksOf(graph, name, table, 8, size);
  const ofBlock = (value: Value): Value => graph.op('Unsqueeze', [value, graph.constant('int64', [1], [-1])]);
  const whole = (of: Value): Value =>
    graph.op('Cast', [graph.op('Gather', [of, indices])], { to: ELEMENT_TYPE.float32 });
  const centred = graph.op('Sub', [whole(quantised), ofBlock(whole(zeros))]);
  const byBlock = ofBlock(graph.op('Gather', [scales, indices]));
  const values = graph.op('Mul', [centred, byBlock]);
  const shape = graph.op('Concat', [graph.op('Shape', [indices]), graph.constant('int64', [1], [-1])], { axis: 0 });
  const rows = graph.op('Reshape', [values, shape]);
  if (columns % size === 0) return rows;
  const list = (...numbers: number[]): Value => graph.constant('int64', [numbers.length], numbers);
  return graph.op('Slice', [rows, list(0), list(columns), list(-1)]);
}
