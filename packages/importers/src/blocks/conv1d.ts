import type { Value } from '../graphs/graph-builder.js';
import { type BlockContext, vectorOf } from './block-context.js';
import { type LinearShape, product } from './linear.js';

/** The linear layer `name` of a network that stores its weight as `[in, out]`, the other way round than `linear` reads it. */
export function conv1d(
  context: BlockContext,
  x: Value,
  name: string,
  { inputs, outputs }: Omit<LinearShape, 'biased'>,
): Value {
  const weight = context.tensorOf(`${name}.weight`, [inputs, outputs]);
  return product(context, x, `${name}.weight`, weight, vectorOf(context, `${name}.bias`, outputs));
}
