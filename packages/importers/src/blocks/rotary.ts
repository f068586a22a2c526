import { MAX_FORWARD_CELLS } from '@foretoken/core/kit';
import { ELEMENT_TYPE } from '@foretoken/models/internal';
import type { GraphBuilder, Value } from '../graphs/graph-builder.js';
import type { DeferredDense } from '../tensors/matrices.js';

/** How fast each pair of a head's numbers turns with the position, in radians; what it is kept under. */
export interface RotaryRates {
  /** Half as many as a head is wide. */
  readonly rates: Float32Array;
  /** Most positions. */
  readonly positions: number;
  /** What rotated vectors are multiplied with (YaRN); default 1. */
  readonly scale?: number | undefined;
}

/** Cosines and sines of a graph's positions. */
export interface RotaryTables {
  readonly cos: Value;
  readonly sin: Value;
  /** int64 `[batch, time]`. */
  readonly positions: Value;
}

/** The tables of rotary positions (Su et al., 2021), for `positions` int32 `[batch, time]`; stored once for all graphs of a folder. */
export function rotaryTables(graph: GraphBuilder, positions: Value, rotary: RotaryRates): RotaryTables {
  const table = (name: string, of: (angle: number) => number): Value => {
    const { dims, values } = angleTable(rotary, of);
    return graph.weight(`rotary.${name}`, dims, values, true);
  };
  return {
    cos: table('cos', Math.cos),
    sin: table('sin', Math.sin),
    positions: graph.op('Cast', [positions], { to: ELEMENT_TYPE.int64 }),
  };
}

/**
 * `x [batch, time, heads * headWidth]` turned by its positions; the first half of a head's numbers are the real parts, the second
 * half the imaginary ones.
 */
export function rotate(graph: GraphBuilder, x: Value, heads: number, { cos, sin, positions }: RotaryTables): Value {
  return graph.op('RotaryEmbedding', [x, cos, sin, positions], { num_heads: heads, interleaved: 0 });
}

/** Angles are rounded to fp32, as the models were trained with. */
function angleTable({ rates, scale = 1, ...limit }: RotaryRates, of: (angle: number) => number): DeferredDense {
  const half = rates.length;
  // The runtime wants a row for each new token of a forward, and a tree may have more of them than positions.
  const positions = Math.max(limit.positions, MAX_FORWARD_CELLS);
  return {
    dims: [positions, half],
    values: async (pace) => {
      const values = new Float32Array(positions * half);
      for (let position = 0; position < positions; position++) {
        for (let pair = 0; pair < half; pair++) {
          values[position * half + pair] = scale * of(Math.fround(position * rates[pair]));
        }
        if (position % 64 === 0 && pace.due()) await pace.yield();
      }
      return values;
    },
  };
}
