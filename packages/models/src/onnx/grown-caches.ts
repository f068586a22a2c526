import { wireMessages, wireTexts } from '@foretoken/core/internal';

// Fields of onnx.proto3 (ONNX, Apache-2.0).
const GRAPH = 7;
const NODE = 1;
const NODE_INPUT = 1;
const NODE_OUTPUT = 2;

/**
 * Which output of a serialised graph each input of a cache becomes, where one node takes it and gives that: nodes take and give keys
 * before values. Inputs that other nodes stand between are not told. Throws `RangeError`.
 */
export function grownCaches(
  model: Uint8Array,
  inputs: ReadonlySet<string>,
  outputs: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const grown = new Map<string, string>();
  for (const node of wireMessages(model, GRAPH).flatMap((graph) => wireMessages(graph, NODE))) {
    const taken = wireTexts(node, NODE_INPUT).filter((name) => inputs.has(name));
    const given = wireTexts(node, NODE_OUTPUT).filter((name) => outputs.has(name));
    if (taken.length !== given.length) continue;
    for (const [index, name] of taken.entries()) grown.set(name, given[index]);
  }
  return grown;
}
