import type { GraphBuilder, Value } from '../graphs/graph-builder.js';
import type { DeferredDense } from '../tensors/matrices.js';
import type { TensorOf } from '../tensors/tensor-reader.js';

/**
 * How weight products are computed. `weights8` and `weights4` store weights in 8 or 4 bits by blocks, and quantise each row of
 * activations by itself, so rows do not influence one another. `int8` quantises weights by column and activations as they come, over a whole tensor:
 * about twice as fast, but rows influence one another in the last digits, so nothing exact may come of it.
 */
export type ProductPrecision = 'float32' | 'weights8' | 'weights4' | 'int8';

/** What blocks are written with: one graph, the weights of one network, and how its products are computed. */
export interface BlockContext {
  readonly graph: GraphBuilder;
  readonly tensorOf: TensorOf;
  readonly precision: ProductPrecision;
  /** Biases that other weights already hold, by name. */
  readonly folded: ReadonlySet<string>;
  /** Masks of keys by the masks of positions they were made of. */
  readonly keyMasks: Map<Value, Value>;
}

export interface BlockOptions {
  readonly precision?: ProductPrecision | undefined;
  readonly folded?: ReadonlySet<string> | undefined;
}

/** A context for the blocks of one network in one graph; products are fp32 and no bias is folded unless said. */
export function blockContext(
  graph: GraphBuilder,
  tensorOf: TensorOf,
  { precision = 'float32', folded = new Set() }: BlockOptions = {},
): BlockContext {
  return { graph, tensorOf, precision, folded, keyMasks: new Map() };
}

/** A weight of the graph under `name`. */
export function weightOf({ graph }: BlockContext, name: string, { dims, values, exact }: DeferredDense): Value {
  return graph.weight(name, dims, values, exact);
}

/** A vector of the network's weights, under its own name. */
export function vectorOf(context: BlockContext, name: string, length: number): Value {
  return weightOf(context, name, context.tensorOf(name, [length]));
}
