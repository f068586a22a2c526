import type { GraphBuilder, Value } from '../graphs/graph-builder.js';
import { stackRows, transpose } from '../tensors/matrices.js';
import { type BlockContext, weightOf } from './block-context.js';
import { product } from './linear.js';

/**
 * Layers that attend to a source: `count` of them, `layers` before their number; `name` is what the product is kept
 * under.
 */
export interface CrossLayers {
  readonly name: string;
  readonly layers: string;
  readonly count: number;
  readonly width: number;
}

/**
 * Each layer's cross-attention keys (even) and values (odd) of `states [batch, source, width]`, from one product, as the
 * value `cross [2 * count, batch, source, width]`.
 */
export function emitCross(context: BlockContext, states: Value, { name, layers, count, width }: CrossLayers): void {
  const { graph, tensorOf } = context;
  const projections = Array.from({ length: count }, (_, layer) =>
    ['k_proj', 'v_proj'].map((part) => `${layers}.${layer}.encoder_attn.${part}`),
  ).flat();
  const weight = transpose(stackRows(projections.map((part) => tensorOf(`${part}.weight`, [width, width]))));
  const bias = stackRows(projections.map((part) => tensorOf(`${part}.bias`, [width])));
  const added = weightOf(context, `${name}.bias`, bias);
  const projected = product(context, states, `${name}.weight`, weight, added);
  const byPart = graph.op('Reshape', [projected, graph.constant('int64', [4], [0, 0, 2 * count, width])]);
  graph.op('Transpose', [byPart], { perm: [2, 0, 1, 3] }, { name: 'cross' });
}

/** Declares the output of `emitCross`. */
export function declareCross(graph: GraphBuilder, count: number, width: number): void {
  graph.output('cross', 'float32', [2 * count, 'batch', 'source', width]);
}
