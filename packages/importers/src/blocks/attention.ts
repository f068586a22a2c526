import { ELEMENT_TYPE } from '@foretoken/models/folder';
import { CONTRIB, type Value } from '../graphs/graph-builder.js';
import { type DeferredDense, stackRows, transpose } from '../tensors/matrices.js';
import { type BlockContext, weightOf } from './block-context.js';
import { linear, product } from './linear.js';

/** Sizes of an attention block, whether its projections add biases, and what these are called in the checkpoint. */
export interface AttentionShape {
  readonly width: number;
  readonly heads: number;
  readonly biased: boolean;
  readonly names: AttentionNames;
}

/** What follows a block's name in the names of its projections. */
export interface AttentionNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly out: string;
}

/** A source's cross-attention keys and values `[batch, source, width]`, and `bias [batch, 1, queries, source]` to add. */
export interface SourceReading {
  readonly keys: Value;
  readonly values: Value;
  readonly bias: Value;
}

/** Queries, keys and values, `[batch, time, width]` each, from one product. */
export function queryKeyValue(
  context: BlockContext,
  shape: AttentionShape,
  x: Value,
  prefix: string,
): [Value, Value, Value] {
  const { graph } = context;
  const { width } = shape;
  const { weight, bias } = fusedProjection(context, shape, prefix);
  const fused = product(context, x, `${prefix}.qkv.weight`, weight, bias);
  const sizes = graph.constant('int64', [3], [width, width, width]);
  return graph.ops('Split', [fused, sizes], 3, { axis: 2 }) as [Value, Value, Value];
}

/**
 * Attention over all heads, of which those of keys and values may be fewer; `mask [batch, 1, queries, keys]` holds booleans or numbers to add. The standard operator, because its
 * CPU kernel takes a third of the time of com.microsoft.MultiHeadAttention.
 */
export function attend(
  { graph }: BlockContext,
  heads: number,
  { query, key, value, mask }: AttentionInputs,
  keyValueHeads: number = heads,
): Value {
  return graph.op('Attention', [query, key, value, mask], { q_num_heads: heads, kv_num_heads: keyValueHeads });
}

/** `[batch, queries, width]`, `[batch, keys, width]` twice, and a mask that broadcasts over heads. */
export interface AttentionInputs {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  readonly mask: Value;
}

/** The projection that closes an attention block. */
export function projectOut(context: BlockContext, shape: AttentionShape, attended: Value, prefix: string): Value {
  return projection(context, shape, attended, `${prefix}.${shape.names.out}`);
}

/** Attention to all of `x` that `mask` int32 `[batch, time]` does not hide with 0. */
export function selfAttention(
  context: BlockContext,
  shape: AttentionShape,
  x: Value,
  mask: Value,
  prefix: string,
): Value {
  return projectOut(context, shape, attendToSelf(context, shape, x, mask, prefix), prefix);
}

function attendToSelf(context: BlockContext, shape: AttentionShape, x: Value, mask: Value, prefix: string): Value {
  if (context.precision === 'float32' && shape.biased) {
    // One operator projects, splits and attends, where keys come from nowhere else. Without a bias it ends the process (1.30.0).
    const { weight, bias } = fusedProjection(context, shape, prefix);
    const inputs = [x, weightOf(context, `${prefix}.qkv.weight`, weight), bias as Value, mask];
    return context.graph.op('Attention', inputs, { num_heads: shape.heads }, { domain: CONTRIB });
  }
  const [query, key, value] = queryKeyValue(context, shape, x, prefix);
  return attend(context, shape.heads, { query, key, value, mask: keyMask(context, mask) });
}

/** Attention to a source whose keys and values are given. */
export function crossAttention(
  context: BlockContext,
  shape: AttentionShape,
  x: Value,
  { keys, values, bias }: SourceReading,
  prefix: string,
): Value {
  const query = projection(context, shape, x, `${prefix}.${shape.names.query}`);
  const attended = attend(context, shape.heads, { query, key: keys, value: values, mask: bias });
  return projectOut(context, shape, attended, prefix);
}

function projection(context: BlockContext, { width, biased }: AttentionShape, x: Value, name: string): Value {
  return linear(context, x, name, { inputs: width, outputs: width, biased });
}

/** `mask [batch, time]` as `[batch, 1, time, time]` booleans, made once: attention broadcasts over heads only. */
function keyMask({ graph, keyMasks }: BlockContext, mask: Value): Value {
  const known = keyMasks.get(mask);
  if (known !== undefined) return known;
  const byKey = graph.op('Reshape', [mask, graph.constant('int64', [4], [0, 1, 1, -1])]);
  const byQuery = graph.op('Reshape', [mask, graph.constant('int64', [4], [0, 1, -1, 1])]);
  // Every query, padding too, sees the same keys; a query that saw none would not be a number.
  const everyQuery = graph.op('Equal', [byQuery, byQuery]);
  const visible = graph.op('And', [everyQuery, graph.op('Cast', [byKey], { to: ELEMENT_TYPE.bool })]);
  keyMasks.set(mask, visible);
  return visible;
}

/** The `[width, 3 * width]` projection to queries, keys and values, and its bias. */
function fusedProjection(
  context: BlockContext,
  { width, biased, names: { query, key, value } }: AttentionShape,
  prefix: string,
): { readonly weight: DeferredDense; readonly bias: Value | undefined } {
  const { tensorOf } = context;
  const parts = [query, key, value];
  const weights = parts.map((part) => tensorOf(`${prefix}.${part}.weight`, [width, width]));
  const biases = biased ? parts.map((part) => tensorOf(`${prefix}.${part}.bias`, [width])) : [];
  return {
    weight: transpose(stackRows(weights)),
    bias: biased ? weightOf(context, `${prefix}.qkv.bias`, stackRows(biases)) : undefined,
  };
}
