import type { Value } from '../graphs/graph-builder.js';
import { type Activation, activate } from './activation.js';
import type { BlockContext } from './block-context.js';
import { linear } from './linear.js';

/** Sizes of a feed-forward block, whether its layers add biases, and their names in the checkpoint. */
export interface FeedForwardShape {
  readonly width: number;
  readonly feedForward: number;
  readonly biased: boolean;
  /** Default SiLU. */
  readonly activation?: Activation | undefined;
  readonly names: { readonly up: string; readonly down: string };
}

/** `down(activation(up(x)))`. */
export function feedForward(context: BlockContext, shape: FeedForwardShape, x: Value, prefix: string): Value {
  const { width, feedForward: inner, biased, activation = 'silu', names } = shape;
  const hidden = linear(context, x, `${prefix}.${names.up}`, { inputs: width, outputs: inner, biased });
  const active = activate(context, activation, hidden);
  return linear(context, active, `${prefix}.${names.down}`, { inputs: inner, outputs: width, biased });
}
