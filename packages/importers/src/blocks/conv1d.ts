import type { Value } from '../graphs/graph-builder.js';
import { type BlockContext, vectorOf } from './block-context.js';
import { type LinearShape, product } from './linear.js';

/** The layer `name` of the network as GPT-2 stores it: its weight is `[in, out]`, other than that of a linear layer. */
export function conv1d(
  context: BlockContext,
  x: Value,
  name: string,
  { inputs, outputs }: Omit<LinearShape, 'biased'>,
): Value {
  const weight = context.tensorOf(`${name}.weight`, [inputs, outputs]);
  return product(context, x, `${name}.weight`, weight, vectorOf(context, `${name}.bias`, outputs));
}
