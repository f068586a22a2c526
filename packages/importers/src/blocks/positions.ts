import type { GraphBuilder, Value } from '../graphs/graph-builder.js';
import { type DeferredDense, endedByZeros, shiftedSinusoidTable, sinusoids } from '../tensors/matrices.js';
import { embeddingTable, type TokenEmbedding } from './embedding.js';

/** Sinusoids of `count` positions, `[count, width]`, stored once for all networks of a folder. */
export function positionTable(graph: GraphBuilder, count: number, width: number): Value {
  return tableOf(graph, `position_table.${count}`, sinusoids(count, width));
}

/** The sinusoids of `positions` int32 `[..]`, `[.., width]`. */
export function sinusoidalPositions(graph: GraphBuilder, count: number, width: number, positions: Value): Value {
  return graph.op('Gather', [positionTable(graph, count, width), positions]);
}

/** The rows of `shiftedSinusoidTable` at `positions` int32 `[..]`, `[.., width]`. */
export function shiftedSinusoids(
  graph: GraphBuilder,
  count: number,
  width: number,
  first: number,
  positions: Value,
): Value {
  const table = shiftedSinusoidTable(count, width, first);
  return rowsOf(graph, `position_table.${count}.${first}`, table, positions);
}

/** As `shiftedSinusoids`, and zeros where the position is -1. */
export function sinusoidsOrNone(
  graph: GraphBuilder,
  count: number,
  width: number,
  first: number,
  positions: Value,
): Value {
  const table = endedByZeros(shiftedSinusoidTable(count, width, first));
  return rowsOf(graph, `position_table.${count}.${first}.none`, table, positions);
}

/** Learned vectors of `positions` int32 `[..]`, of which number 0 is row `first` of the table. */
export function learnedPositions(graph: GraphBuilder, table: TokenEmbedding, first: number, positions: Value): Value {
  const rows = first === 0 ? positions : graph.op('Add', [positions, graph.constant('int32', [], [first])]);
  return graph.op('Gather', [embeddingTable(graph, table), rows]);
}

function rowsOf(graph: GraphBuilder, name: string, table: DeferredDense, positions: Value): Value {
  return graph.op('Gather', [tableOf(graph, name, table), positions]);
}

function tableOf(graph: GraphBuilder, name: string, { dims, values, exact }: DeferredDense): Value {
  return graph.weight(name, dims, values, exact);
}
