import { wireMessages, wireTexts } from '@foretoken/core/internal';

// Fields of onnx.proto3 (ONNX, Apache-2.0).
const GRAPH = 7;
const FUNCTION = 25;
const GRAPH_NODE = 1;
const FUNCTION_NODE = 7;
const OPERATOR = 4;
const ATTRIBUTE = 5;
const ATTRIBUTE_GRAPH = 6;
const ATTRIBUTE_GRAPHS = 11;

/** Names of all operators of a serialised graph, those of its subgraphs and functions among them. Throws `RangeError`. */
export function operatorsOf(model: Uint8Array): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (nodes: readonly Uint8Array[]): void => {
    for (const node of nodes) {
      for (const name of wireTexts(node, OPERATOR)) found.add(name);
      for (const attribute of wireMessages(node, ATTRIBUTE)) {
        for (const field of [ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS]) {
          for (const graph of wireMessages(attribute, field)) visit(wireMessages(graph, GRAPH_NODE));
        }
      }
    }
  };
  for (const graph of wireMessages(model, GRAPH)) visit(wireMessages(graph, GRAPH_NODE));
  for (const one of wireMessages(model, FUNCTION)) visit(wireMessages(one, FUNCTION_NODE));
  return found;
}

/**
 * Operators that scale what they compute by the largest number of a whole tensor, so that a row depends on the rows and tokens beside
 * it. ONNX Runtime fuses the first with others into the rest.
 */
const DEPENDENT: ReadonlySet<string> = new Set([
  'DynamicQuantizeLinear',
  'DynamicQuantizeMatMul',
  'DynamicQuantizeLSTM',
  'DynamicQuantizeGRU',
]);

/** Of a graph's operators those by which its rows depend on one another. */
export function dependentOperators(operators: ReadonlySet<string>): string[] {
  return [...operators].filter((name) => DEPENDENT.has(name)).sort();
}
