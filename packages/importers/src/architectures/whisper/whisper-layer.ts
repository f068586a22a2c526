import type { BlockContext } from '../../blocks/block-context.js';
import { weightOf } from '../../blocks/block-context.js';
import { linear, product } from '../../blocks/linear.js';
import { layerNorm, residual } from '../../blocks/norms.js';
import type { Value } from '../../graphs/graph-builder.js';
import { type DeferredDense, stackRows, transpose } from '../../tensors/matrices.js';

/** `x + down(gelu(up(norm(x))))` of the layer `prefix`. */
export function feedForwardBlock(
  context: BlockContext,
  x: Value,
  prefix: string,
  { width, feedForward }: { readonly width: number; readonly feedForward: number },
): Value {
  return preNorm(context, x, `${prefix}.final_layer_norm`, width, (seen) => {
    const up = linear(context, seen, `${prefix}.fc1`, { inputs: width, outputs: feedForward, biased: true });
    const active = context.graph.op('Gelu', [up]);
    return linear(context, active, `${prefix}.fc2`, { inputs: feedForward, outputs: width, biased: true });
  });
}

/** `x + sublayer(norm(x))`. */
export function preNorm(
  context: BlockContext,
  x: Value,
  norm: string,
  width: number,
  sublayer: (x: Value) => Value,
): Value {
  return residual(context, 'pre', x, (seen) => layerNorm(context, seen, norm, width), sublayer);
}

/**
 * Queries, keys and values `[batch, time, width]` of the attention `prefix`, from one product. Keys have no bias: one would add the
 * same to the scores of all keys, which changes no weight.
 */
export function queryKeyValue(context: BlockContext, x: Value, prefix: string, width: number): [Value, Value, Value] {
  const { graph, tensorOf } = context;
  const weights = ['q_proj', 'k_proj', 'v_proj'].map((part) => tensorOf(`${prefix}.${part}.weight`, [width, width]));
  const bias = stackRows([
    tensorOf(`${prefix}.q_proj.bias`, [width]),
    zeros(width),
    tensorOf(`${prefix}.v_proj.bias`, [width]),
  ]);
  const added = weightOf(context, `${prefix}.qkv.bias`, bias);
  const fused = product(context, x, `${prefix}.qkv.weight`, transpose(stackRows(weights)), added);
  const sizes = graph.constant('int64', [3], [width, width, width]);
  const [query, key, value] = graph.ops('Split', [fused, sizes], 3, { axis: 2 });
  return [query, key, value];
}

function zeros(width: number): DeferredDense {
  return { dims: [width], values: async () => new Float32Array(width) };
}

/** `[batch, time, width]` as `[batch, heads, time, width / heads]`, or with `perm` in another order of these. */
export function byHeads(
  { graph }: BlockContext,
  x: Value,
  heads: number,
  width: number,
  perm: readonly number[] = [0, 2, 1, 3],
): Value {
  const shape = graph.constant('int64', [4], [0, 0, heads, width / heads]);
  return graph.op('Transpose', [graph.op('Reshape', [x, shape])], { perm });
}
