import { CONTRIB, type Value } from '../graphs/graph-builder.js';
import { type DeferredDense, quantiseColumns, transpose } from '../tensors/matrices.js';
import { type BlockContext, vectorOf, weightOf } from './block-context.js';
import { quantisedProduct } from './quantised-product.js';

/** `x @ matrix`, and `+ bias` where one is given; the matrix `[in, out]` is kept under `name`. */
export function product(context: BlockContext, x: Value, name: string, matrix: DeferredDense, bias?: Value): Value {
  const { graph } = context;
  if (context.precision === 'float32') {
    const multiplied = graph.op('MatMul', [x, weightOf(context, name, matrix)]);
    return bias === undefined ? multiplied : graph.op('Add', [multiplied, bias]);
  }
  if (context.precision !== 'int8') {
    return quantisedProduct(graph, x, name, transpose(matrix), context.precision === 'weights8' ? 8 : 4, bias);
  }
  const { dims, quantised, scales } = quantiseColumns(matrix);
  const columns = dims[1];
  const inputs = [
    x,
    graph.weightInt8(`${name}.int8`, dims, quantised),
    graph.weight(`${name}.scales`, [columns], scales, true),
    graph.weightInt8(`${name}.zeros`, [columns], new Int8Array(columns)),
    ...(bias === undefined ? [] : [bias]),
  ];
  return graph.op('DynamicQuantizeMatMul', inputs, {}, { domain: CONTRIB });
}

/** Sizes of a linear layer, and whether it adds a bias. */
export interface LinearShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly biased: boolean;
}

/** The linear layer `name` of the network, whose weight is stored `[out, in]`; a bias that was folded away is not added. */
export function linear(context: BlockContext, x: Value, name: string, shape: LinearShape): Value {
  const { inputs, outputs } = shape;
  const weight = transpose(context.tensorOf(`${name}.weight`, [outputs, inputs]));
  const biased = shape.biased && !context.folded.has(`${name}.bias`);
  const bias = biased ? vectorOf(context, `${name}.bias`, outputs) : undefined;
  return product(context, x, `${name}.weight`, weight, bias);
}
