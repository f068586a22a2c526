import type { Value } from '../graphs/graph-builder.js';
import { type BlockContext, vectorOf } from './block-context.js';

const EPSILON = 1e-5;

/** `LayerNorm(x)` over the last dimension, with the scale and bias of the norm `name`. */
export function layerNorm(
  context: BlockContext,
  x: Value,
  name: string,
  width: number,
  epsilon: number = EPSILON,
): Value {
  const inputs = [x, vectorOf(context, `${name}.weight`, width), vectorOf(context, `${name}.bias`, width)];
  return context.graph.op('LayerNormalization', inputs, { axis: -1, epsilon: { float: epsilon } });
}

/** `x / rms(x)` over the last dimension, with the scale of the norm `name` (Zhang and Sennrich, 2019). */
export function rmsNorm(context: BlockContext, x: Value, name: string, width: number, epsilon: number): Value {
  const inputs = [x, vectorOf(context, `${name}.weight`, width)];
  return context.graph.op('RMSNormalization', inputs, { axis: -1, epsilon: { float: epsilon } });
}

/** How states are normalised: by mean and variance with a bias, or by their root mean square without one. */
export interface Normaliser {
  readonly kind: 'layer' | 'rms';
  readonly epsilon: number;
}

/** What most encoder-decoders have. */
export const LAYER_NORM: Normaliser = { kind: 'layer', epsilon: EPSILON };

/** `x` normalised over the last dimension by the norm `name`. */
export function normalise(context: BlockContext, x: Value, name: string, width: number, by: Normaliser): Value {
  const norm = by.kind === 'layer' ? layerNorm : rmsNorm;
  return norm(context, x, name, width, by.epsilon);
}

/** Where a residual block is normalised: what comes out of it, or what goes into its sublayer. */
export type NormPlace = 'post' | 'pre';

/**
 * A residual block: `norm(x + sublayer(x))` (Vaswani et al., 2017), or `x + sublayer(norm(x))` (Xiong et al., 2020).
 *
 * Sum and norm stay two operators. The fused SkipLayerNormalization would be one node fewer, but its CPU kernel is scalar: from
 * some 8 rows on it takes twice as long as these two.
 */
export function residual(
  { graph }: BlockContext,
  place: NormPlace,
  x: Value,
  norm: (x: Value) => Value,
  sublayer: (x: Value) => Value,
): Value {
  if (place === 'pre') return graph.op('Add', [x, sublayer(norm(x))]);
  return norm(graph.op('Add', [x, sublayer(x)]));
}
