import { ELEMENT_TYPE } from '@foretoken/models/internal';
import type { GraphBuilder, Value } from '../graphs/graph-builder.js';
import type { DeferredDense } from '../tensors/matrices.js';
import { type BlockContext, weightOf } from './block-context.js';

/** Distances of keys from queries, in buckets that widen with the distance (Raffel et al., 2020). */
export interface RelativePositions {
  /** The tensor `[buckets, heads]` of what each bucket adds to the scores. */
  readonly name: string;
  readonly buckets: number;
  /** Distance from which on all are in the last bucket. */
  readonly maxDistance: number;
  readonly heads: number;
  /** Whether keys come after queries too; half of the buckets are theirs. */
  readonly bothWays: boolean;
}

/**
 * What the distances of keys from queries add to attention's scores, `[batch, heads, queries, keys]`; `queries [batch, queries]`
 * and `keys [batch, keys]` int32 are positions.
 */
export function relativeBias(context: BlockContext, relative: RelativePositions, queries: Value, keys: Value): Value {
  const { graph } = context;
  const { maxDistance, bothWays } = relative;
  const axis = (at: number): Value => graph.constant('int64', [1], [at]);
  const number = (value: number): Value => graph.constant('int32', [], [value]);
  const distance = graph.op('Sub', [graph.op('Unsqueeze', [keys, axis(1)]), graph.op('Unsqueeze', [queries, axis(2)])]);
  const within = graph.op('Clip', [distance, number(-maxDistance), number(bothWays ? maxDistance : 0)]);
  const row = graph.op('Add', [within, number(maxDistance)]);
  const table = weightOf(context, `${relative.name}.by_distance`, byDistance(context, relative));
  return graph.op('Transpose', [graph.op('Gather', [table, row])], { perm: [0, 3, 1, 2] });
}

/** `relativeBias` of all positions of a batch to one another; what `mask` int32 `[batch, time]` hides with 0 is hidden. */
export function maskedRelativeBias(
  context: BlockContext,
  relative: RelativePositions,
  positions: Value,
  mask: Value,
): Value {
  const { graph } = context;
  return graph.op('Add', [relativeBias(context, relative, positions, positions), hiding(graph, mask)]);
}

/** 0 where `mask` is 1 and a large negative number where it is 0, `[batch, 1, 1, time]`. */
function hiding(graph: GraphBuilder, mask: Value): Value {
  const byKey = graph.op('Reshape', [mask, graph.constant('int64', [4], [0, 1, 1, -1])]);
  const seen = graph.op('Cast', [byKey], { to: ELEMENT_TYPE.float32 });
  const less = graph.op('Sub', [seen, graph.constant('float32', [], [1])]);
  return graph.op('Mul', [less, graph.constant('float32', [], [1e9])]);
}

/** The table by distance instead of by bucket: from the farthest key before a query on, `[distances, heads]`. */
function byDistance({ tensorOf }: BlockContext, relative: RelativePositions): DeferredDense {
  const { name, buckets, heads, maxDistance, bothWays } = relative;
  const table = tensorOf(name, [buckets, heads]);
  const count = bothWays ? 2 * maxDistance + 1 : maxDistance + 1;
  return {
    dims: [count, heads],
    exact: table.exact,
    values: async (pace) => {
      const from = await table.values(pace);
      const values = new Float32Array(count * heads);
      for (let row = 0; row < count; row++) {
        const bucket = bucketOf(row - maxDistance, relative);
        values.set(from.subarray(bucket * heads, (bucket + 1) * heads), row * heads);
      }
      return values;
    },
  };
}

/**
 * The bucket of a key's distance from its query: near ones have a bucket each, farther ones share one with those of about the same
 * logarithm, computed in the 32 bits that models were trained with.
 */
function bucketOf(
  distance: number,
  { buckets, maxDistance, bothWays }: Pick<RelativePositions, 'buckets' | 'maxDistance' | 'bothWays'>,
): number {
  const own = bothWays ? Math.floor(buckets / 2) : buckets;
  const first = bothWays && distance > 0 ? own : 0;
  const far = bothWays ? Math.abs(distance) : Math.max(0, -distance);
  const exact = Math.floor(own / 2);
  if (far < exact) return first + far;
  const { fround } = Math;
  const share = fround(fround(Math.log(fround(far / exact))) / fround(Math.log(maxDistance / exact)));
  return first + Math.min(own - 1, exact + Math.trunc(fround(share * (own - exact))));
}
