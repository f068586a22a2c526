import type { Value } from '../graphs/graph-builder.js';
import { stackRows, transpose } from '../tensors/matrices.js';
import { type Activation, activate } from './activation.js';
import { type BlockContext, weightOf } from './block-context.js';
import { linear, product } from './linear.js';

/** Sizes of a gated feed-forward block, whether its layers add biases, and their names in the checkpoint. */
export interface GatedShape {
  readonly width: number;
  readonly feedForward: number;
  readonly biased: boolean;
  /** Of the gate; default SiLU. */
  readonly activation?: Activation | undefined;
  readonly names: { readonly gate: string; readonly up: string; readonly down: string };
}

/** `down(activation(gate(x)) * up(x))` (Shazeer, 2020, "GLU Variants Improve Transformer"). */
export function gatedFeedForward(context: BlockContext, shape: GatedShape, x: Value, prefix: string): Value {
  const { graph, tensorOf } = context;
  const { width, feedForward, biased, activation = 'silu', names } = shape;
  const parts = [names.gate, names.up];
  const weights = parts.map((part) => tensorOf(`${prefix}.${part}.weight`, [feedForward, width]));
  const biases = biased ? parts.map((part) => tensorOf(`${prefix}.${part}.bias`, [feedForward])) : [];
  const bias = biased ? weightOf(context, `${prefix}.gate_up.bias`, stackRows(biases)) : undefined;
  const fused = product(context, x, `${prefix}.gate_up.weight`, transpose(stackRows(weights)), bias);
  const [gate, up] = graph.ops('Split', [fused], 2, { axis: 2, num_outputs: 2 });
  const gated = graph.op('Mul', [activate(context, activation, gate), up]);
  return linear(context, gated, `${prefix}.${names.down}`, { inputs: feedForward, outputs: width, biased });
}
