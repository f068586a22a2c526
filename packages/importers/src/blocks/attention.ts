import { ELEMENT_TYPE } from '@foretoken/models/internal';
import { type AttributeValue, CONTRIB, type Value } from '../graphs/graph-builder.js';
import { type DeferredDense, stackRows, transpose } from '../tensors/matrices.js';
import { type BlockContext, weightOf } from './block-context.js';
import { linear, product } from './linear.js';

/** Sizes of an attention block, whether its projections add biases, and what these are called in the checkpoint. */
export interface AttentionShape {
  readonly width: number;
  readonly heads: number;
  /** Numbers of each head; default: the width, divided by the heads. */
  readonly headWidth?: number | undefined;
  /** What products of queries and keys are multiplied with; default 1, divided by the root of a head's width. */
  readonly scale?: number | undefined;
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

/** Numbers that all heads have together. */
export function headsWidth({ width, heads, headWidth }: Pick<AttentionShape, 'width' | 'heads' | 'headWidth'>): number {
  return headWidth === undefined ? width : heads * headWidth;
}

/** Queries, keys and values, `[batch, time, headsWidth]` each, from one product. */
export function queryKeyValue(
  context: BlockContext,
  shape: AttentionShape,
  x: Value,
  prefix: string,
): [Value, Value, Value] {
  const { graph } = context;
  const kept = headsWidth(shape);
  const bias = shape.biased ? fusedBias(context, shape, prefix) : undefined;
  const fused = product(context, x, `${prefix}.qkv.weight`, fusedWeight(context, shape, prefix), bias);
  const sizes = graph.constant('int64', [3], [kept, kept, kept]);
  const [query, key, value] = graph.ops('Split', [fused, sizes], 3, { axis: 2 });
  return [query, key, value];
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
  scale?: number,
): Value {
  const attributes: Record<string, AttributeValue> = { q_num_heads: heads, kv_num_heads: keyValueHeads };
  if (scale !== undefined) attributes.scale = { float: scale };
  const inputs = mask === undefined ? [query, key, value] : [query, key, value, mask];
  return graph.op('Attention', inputs, attributes);
}

/** `[batch, queries, width]`, `[batch, keys, width]` twice, and a mask that broadcasts over heads. */
export interface AttentionInputs {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  /** Without one every query sees all keys. */
  readonly mask?: Value | undefined;
}

/** `attend` of a block with as many heads of keys as of queries. */
export function attendAs(context: BlockContext, { heads, scale }: AttentionShape, inputs: AttentionInputs): Value {
  return attend(context, heads, inputs, heads, scale);
}

/** The projection that closes an attention block. */
export function projectOut(context: BlockContext, shape: AttentionShape, attended: Value, prefix: string): Value {
  const { width, biased, names } = shape;
  return linear(context, attended, `${prefix}.${names.out}`, { inputs: headsWidth(shape), outputs: width, biased });
}

/**
 * Attention to all of `x` that `mask` int32 `[batch, time]` does not hide with 0; with `bias [batch, heads, time, time]`, which is
 * added to the scores, to what that does not hide.
 */
export function selfAttention(
  context: BlockContext,
  shape: AttentionShape,
  x: Value,
  mask: Value,
  prefix: string,
  bias?: Value,
): Value {
  const attended =
    bias === undefined
      ? attendToSelf(context, shape, x, mask, prefix)
      : attendWith(context, shape, queryKeyValue(context, shape, x, prefix), bias);
  return projectOut(context, shape, attended, prefix);
}

function attendWith(
  context: BlockContext,
  shape: AttentionShape,
  [query, key, value]: readonly [Value, Value, Value],
  mask: Value,
): Value {
  return attendAs(context, shape, { query, key, value, mask });
}

function attendToSelf(context: BlockContext, shape: AttentionShape, x: Value, mask: Value, prefix: string): Value {
  const plain = shape.headWidth === undefined && shape.scale === undefined;
  if (context.precision === 'float32' && shape.biased && plain) {
    // One operator projects, splits and attends, where keys come from nowhere else. Without a bias it ends the process (1.30.0).
    const bias = fusedBias(context, shape, prefix);
    const weight = weightOf(context, `${prefix}.qkv.weight`, fusedWeight(context, shape, prefix));
    const inputs = [x, weight, bias, mask];
    return context.graph.op('Attention', inputs, { num_heads: shape.heads }, { domain: CONTRIB });
  }
  return attendWith(context, shape, queryKeyValue(context, shape, x, prefix), keyMask(context, mask));
}

/** Attention to a source whose keys and values are given. */
export function crossAttention(
  context: BlockContext,
  shape: AttentionShape,
  x: Value,
  { keys, values, bias }: SourceReading,
  prefix: string,
): Value {
  const { width, biased, names } = shape;
  const projection = { inputs: width, outputs: headsWidth(shape), biased };
  const query = linear(context, x, `${prefix}.${names.query}`, projection);
  const attended = attendAs(context, shape, { query, key: keys, value: values, mask: bias });
  return projectOut(context, shape, attended, prefix);
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

/** The `[width, 3 * headsWidth]` projection to queries, keys and values. */
function fusedWeight({ tensorOf }: BlockContext, shape: AttentionShape, prefix: string): DeferredDense {
  const { names, width } = shape;
  const parts = [names.query, names.key, names.value];
  return transpose(stackRows(parts.map((part) => tensorOf(`${prefix}.${part}.weight`, [headsWidth(shape), width]))));
}

/** The bias `[3 * headsWidth]` of that projection. */
function fusedBias(context: BlockContext, shape: AttentionShape, prefix: string): Value {
  const { names } = shape;
  const parts = [names.query, names.key, names.value];
  const biases = parts.map((part) => context.tensorOf(`${prefix}.${part}.bias`, [headsWidth(shape)]));
  return weightOf(context, `${prefix}.qkv.bias`, stackRows(biases));
}
