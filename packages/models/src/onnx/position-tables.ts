import { type CountedInputs, FollowedPositions } from './followed-positions.js';
import type { GraphParts } from './graph-parts.js';
import { GraphScope, type ScopedNode } from './graph-scope.js';

/** Far more graphs inside one another than any exporter writes. */
const MAX_DEPTH = 8;

/** Which input of an operator is a table with a row for each position, by its name and domain. */
const TABLES: ReadonlyMap<string, number> = new Map([
  ['com.microsoft.GroupQueryAttention', 7],
  ['com.microsoft.RotaryEmbedding', 2],
]);
/** What looks rows up by their numbers, and what it calls the axis of these. */
const LOOKUPS: ReadonlyMap<string, string> = new Map([
  ['.Gather', 'axis'],
  ['com.microsoft.GatherBlockQuantized', 'gather_axis'],
]);
/** What looks up each number of the rows, along the second axis, of a table that is repeated for each path. */
const ELEMENTS = '.GatherElements';
const REPEATED: ReadonlySet<string> = new Set(['.Expand', '.Tile']);
const CUT = '.Slice';
/** What only changes how the numbers of a table are written. */
const CONVERTED: ReadonlySet<string> = new Set(['.Cast', '.Identity', '.DequantizeLinear']);

/**
 * How many positions the tables of a graph have: those of rotations, those whose rows are looked up by positions that the
 * graph is given or counts itself, and those that are cut to the length of its inputs. The fewest of them, undefined where none is
 * found, or it cannot be told by which positions it is read. Throws `RangeError`.
 */
export function tabledPositions(graph: GraphParts, inputs: CountedInputs): number | undefined {
  const followed = new FollowedPositions(inputs);
  let fewest: number | undefined;
  const visit = (scope: GraphScope, depth: number): void => {
    for (const node of scope.nodes) {
      const positions = positionsOf(node, followed);
      if (positions !== undefined && positions > 0) fewest = Math.min(positions, fewest ?? positions);
      if (depth < MAX_DEPTH) for (const inner of node.parts.graphs()) visit(new GraphScope(inner, scope), depth + 1);
    }
  };
  visit(new GraphScope(graph), 0);
  return fewest;
}

/** Positions that the table has which an operator reads; undefined where it reads none, or it cannot be told. */
function positionsOf({ scope, parts }: ScopedNode, followed: FollowedPositions): number | undefined {
  const { operator, inputs } = parts;
  const place = TABLES.get(operator);
  if (place !== undefined) return matrixRows(scope, inputs[place] ?? '');
  const axis = LOOKUPS.get(operator);
  if (axis !== undefined) {
    const rows = (parts.integer(axis) ?? 0) === 0 ? matrixRows(scope, inputs[0]) : undefined;
    return rows && less(rows, followed.highest(scope, inputs[1]));
  }
  if (operator === ELEMENTS) {
    const rows = parts.integer('axis') === 1 ? matrixRows(scope, repeated(scope, inputs[0])) : undefined;
    return rows && less(rows, followed.highest(scope, inputs[1]));
  }
  if (operator !== CUT) return undefined;
  const [table, , ends, axes = ''] = inputs;
  const dims = tableDims(scope, table);
  if (dims === undefined || dims.length < 2) return undefined;
  const rows = dims.at(axes === '' ? 0 : (scope.integer(axes) ?? dims.length));
  return rows && less(rows, followed.length(scope, ends));
}

function less(rows: number, more: number | undefined): number | undefined {
  return more === undefined ? undefined : rows - more;
}

/** Rows of a table of two dimensions; undefined for others. */
function matrixRows(scope: GraphScope, name: string): number | undefined {
  const dims = tableDims(scope, name);
  return dims?.length === 2 ? dims[0] : undefined;
}

/** What is repeated to give a value; the value itself where nothing is. */
function repeated(scope: GraphScope, name: string, depth = 0): string {
  const node = scope.node(name);
  if (node === undefined || depth > MAX_DEPTH || !REPEATED.has(node.parts.operator)) return name;
  return repeated(scope, node.parts.inputs[0], depth + 1);
}

/** Sizes of a table that the graph holds, however its numbers are written. */
function tableDims(scope: GraphScope, name: string): readonly number[] | undefined {
  const dims = scope.dims(name);
  if (dims !== undefined) return dims;
  const node = scope.node(name);
  return node && CONVERTED.has(node.parts.operator) ? node.scope.dims(node.parts.inputs[0]) : undefined;
}
