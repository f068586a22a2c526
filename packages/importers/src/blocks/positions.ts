import type { GraphBuilder, Value } from '../graphs/graph-builder.js';
import { sinusoids } from '../tensors/matrices.js';

/** Sinusoids of `count` positions, `[count, width]`, stored once for all networks of a folder. */
export function positionTable(graph: GraphBuilder, count: number, width: number): Value {
  const { dims, values, exact } = sinusoids(count, width);
  return graph.weight(`position_table.${count}`, dims, values, exact);
}

/** The sinusoids of `positions` int32 `[..]`, `[.., width]`. */
export function sinusoidalPositions(graph: GraphBuilder, count: number, width: number, positions: Value): Value {
  return graph.op('Gather', [positionTable(graph, count, width), positions]);
}
