import type { GraphBuilder, Value } from '../graphs/graph-builder.js';
import { stackRows, transpose } from '../tensors/matrices.js';
import { type BlockContext, weightOf } from './block-context.js';
import { product } from './linear.js';
import type { LayerStyle } from './transformer-layers.js';

/**
 * Layers that attend to a source: `count` of them, `layers` before their number; `name` is what the product is kept
 * under.
 */
export interface CrossLayers {
  readonly name: string;
  readonly layers: string;
  readonly count: number;
  readonly width: number;
  /** Numbers of a layer's keys for a token, and of its values; default the width. */
  readonly kept?: number | undefined;
  readonly style: LayerStyle;
}

/**
 * Each layer's cross-attention keys (even) and values (odd) of `states [batch, source, width]`, from one product, as the
 * value `cross [2 * count, batch, source, kept]`.
 */
export function emitCross(
  context: BlockContext,
  states: Value,
  { name, layers, count, width, kept = width, style }: CrossLayers,
): void {
  const { graph, tensorOf } = context;
  const { biased, names } = style;
  const projections = Array.from({ length: count }, (_, layer) =>
    [names.projections.key, names.projections.value].map(
      (part) => `${layers}.${layer}.${names.crossAttention}.${part}`,
    ),
  ).flat();
  const weight = transpose(stackRows(projections.map((part) => tensorOf(`${part}.weight`, [kept, width]))));
  const bias = (): Value => {
    const parts = projections.map((part) => tensorOf(`${part}.bias`, [kept]));
    return weightOf(context, `${name}.bias`, stackRows(parts));
  };
  const added = biased ? bias() : undefined;
  const projected = product(context, states, `${name}.weight`, weight, added);
  const byPart = graph.op('Reshape', [projected, graph.constant('int64', [4], [0, 0, 2 * count, kept])]);
  graph.op('Transpose', [byPart], { perm: [2, 0, 1, 3] }, { name: 'cross' });
}

/** Declares the output of `emitCross`. */
export function declareCross(graph: GraphBuilder, count: number, kept: number): void {
  graph.output('cross', 'float32', [2 * count, 'batch', 'source', kept]);
}
