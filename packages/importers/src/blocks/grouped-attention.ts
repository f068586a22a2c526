import type { Value } from '../graphs/graph-builder.js';
import { stackRows, transpose } from '../tensors/matrices.js';
import { type AttentionNames, attend } from './attention.js';
import { type BlockContext, weightOf } from './block-context.js';
import { linear, product } from './linear.js';
import { rmsNorm } from './norms.js';
import { type RotaryTables, rotate } from './rotary.js';

/** Sizes of attention whose heads share keys and values in groups (Ainslie et al., 2023), and what its projections add and are called. */
export interface GroupedShape {
  readonly width: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headWidth: number;
  /** Whether the projections to queries, keys and values add biases, and whether the closing one does. */
  readonly biased: { readonly in: boolean; readonly out: boolean };
  /** Normalisation of each head's queries and keys, where there is one. */
  readonly norm?: { readonly query: string; readonly key: string; readonly epsilon: number } | undefined;
  readonly names: AttentionNames;
}

/** Cached keys and values of one layer, and what new ones are seen by. */
export interface CachedAttention {
  readonly past: { readonly keys: Value; readonly values: Value };
  /** `[batch, 1, new, past + new]`, to add. */
  readonly bias: Value;
  readonly rotary: RotaryTables;
}

/** The attended states, and the new keys and values `[batch, new, keyValueHeads * headWidth]` to cache. */
export interface AttendedStates {
  readonly states: Value;
  readonly keys: Value;
  readonly values: Value;
}

/** Attention of new positions `x [batch, new, width]` to what is cached and to one another. */
export function groupedAttention(
  context: BlockContext,
  shape: GroupedShape,
  x: Value,
  prefix: string,
  { past, bias, rotary }: CachedAttention,
): AttendedStates {
  const { graph } = context;
  const { width, heads, keyValueHeads, headWidth, biased, names } = shape;
  const [query, key, values] = project(context, shape, x, prefix);
  const turned = (value: Value, count: number, norm: string | undefined): Value =>
    rotate(graph, normed(context, shape, value, count, norm && `${prefix}.${norm}`), count, rotary);
  const queries = turned(query, heads, shape.norm?.query);
  const keys = turned(key, keyValueHeads, shape.norm?.key);
  const inputs = {
    query: queries,
    key: graph.op('Concat', [past.keys, keys], { axis: 1 }),
    value: graph.op('Concat', [past.values, values], { axis: 1 }),
    mask: bias,
  };
  const attended = attend(context, heads, inputs, keyValueHeads);
  const out = { inputs: heads * headWidth, outputs: width, biased: biased.out };
  return { states: linear(context, attended, `${prefix}.${names.out}`, out), keys, values };
}

/** Queries, keys and values from one product. */
function project(
  context: BlockContext,
  { width, heads, keyValueHeads, headWidth, biased, names }: GroupedShape,
  x: Value,
  prefix: string,
): [Value, Value, Value] {
  const { graph, tensorOf } = context;
  const kept = keyValueHeads * headWidth;
  const parts = [
    [names.query, heads * headWidth],
    [names.key, kept],
    [names.value, kept],
  ] as const;
  const weights = parts.map(([part, outputs]) => tensorOf(`${prefix}.${part}.weight`, [outputs, width]));
  const biases = biased.in ? parts.map(([part, outputs]) => tensorOf(`${prefix}.${part}.bias`, [outputs])) : [];
  const bias = biased.in ? weightOf(context, `${prefix}.qkv.bias`, stackRows(biases)) : undefined;
  const fused = product(context, x, `${prefix}.qkv.weight`, transpose(stackRows(weights)), bias);
  const sizes = graph.constant(
    'int64',
    [3],
    parts.map(([, outputs]) => outputs),
  );
  const [query, key, value] = graph.ops('Split', [fused, sizes], 3, { axis: 2 });
  return [query, key, value];
}

/** Each head's numbers normalised by themselves, where the model does so. */
function normed(
  context: BlockContext,
  { headWidth, norm }: GroupedShape,
  x: Value,
  heads: number,
  name: string | undefined,
): Value {
  const { graph } = context;
  if (norm === undefined || name === undefined) return x;
  const byHead = graph.op('Reshape', [x, graph.constant('int64', [4], [0, 0, heads, headWidth])]);
  const normalised = rmsNorm(context, byHead, name, headWidth, norm.epsilon);
  return graph.op('Reshape', [normalised, graph.constant('int64', [3], [0, 0, heads * headWidth])]);
}
