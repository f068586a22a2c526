import { wireIntegers, wireMessage, wireMessages, wireTexts } from '@foretoken/core/internal';

// Fields of onnx.proto3 (ONNX, Apache-2.0).
const GRAPH = 7;
const NODE = 1;
const INITIALIZER = 5;
const NODE_INPUT = 1;
const OPERATOR = 4;
const DOMAIN = 7;
const TENSOR_DIMS = 1;
const TENSOR_NAME = 8;

/** Which input of an operator is a table with a row for each position, by its name and domain. */
const TABLES: ReadonlyMap<string, number> = new Map([
  ['com.microsoft.GroupQueryAttention', 7],
  ['com.microsoft.RotaryEmbedding', 2],
]);
/** The table that is looked up, and by what. */
const GATHER = { operator: '.Gather', table: 0, rows: 1 };

/**
 * How many positions the tables of a serialised graph have: those of rotations, and those that `positions`, an input, looks up as they are;
 * the fewest of them, undefined where none is found. Throws `RangeError`.
 */
export function tabledPositions(model: Uint8Array, positions: string | undefined): number | undefined {
  const graph = wireMessage(model, GRAPH);
  if (graph === undefined) return undefined;
  const tables = new Set<string>();
  for (const node of wireMessages(graph, NODE)) {
    const domain = wireTexts(node, DOMAIN).at(-1) ?? '';
    const operator = `${domain === 'ai.onnx' ? '' : domain}.${wireTexts(node, OPERATOR).at(-1)}`;
    const inputs = wireTexts(node, NODE_INPUT);
    const looksUp = operator === GATHER.operator && positions !== undefined && inputs[GATHER.rows] === positions;
    const table = inputs[looksUp ? GATHER.table : (TABLES.get(operator) ?? inputs.length)];
    if (table) tables.add(table);
  }
  let fewest: number | undefined;
  for (const tensor of tables.size === 0 ? [] : wireMessages(graph, INITIALIZER)) {
    if (!wireTexts(tensor, TENSOR_NAME).some((name) => tables.has(name))) continue;
    const rows = firstDim(tensor);
    if (rows !== undefined) fewest = Math.min(rows, fewest ?? rows);
  }
  return fewest;
}

/** Rows of a tensor of two dimensions; undefined for others. */
function firstDim(tensor: Uint8Array): number | undefined {
  const sizes = wireIntegers(tensor, TENSOR_DIMS);
  return sizes.length === 2 && sizes[0] > 0 ? sizes[0] : undefined;
}
