import { CONTRIB, type Value } from '../graphs/graph-builder.js';
import type { BlockContext } from './block-context.js';
import { linear } from './linear.js';

/** Sizes of a feed-forward block, whether its layers add biases, and their names in the checkpoint. */
export interface FeedForwardShape {
  readonly width: number;
  readonly feedForward: number;
  readonly biased: boolean;
  readonly names: { readonly up: string; readonly down: string };
}

/** `down(silu(up(x)))`. */
export function feedForward(context: BlockContext, shape: FeedForwardShape, x: Value, prefix: string): Value {
  const { width, feedForward: inner, biased, names } = shape;
  const hidden = linear(context, x, `${prefix}.${names.up}`, { inputs: width, outputs: inner, biased });
  return linear(context, silu(context, hidden), `${prefix}.${names.down}`, { inputs: inner, outputs: width, biased });
}

/** `x * sigmoid(1 * x)` is SiLU. */
export function silu({ graph }: BlockContext, x: Value): Value {
  return graph.op('QuickGelu', [x], { alpha: { float: 1 } }, { domain: CONTRIB });
}
