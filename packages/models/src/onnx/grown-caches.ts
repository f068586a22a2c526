import type { GraphParts } from './graph-parts.js';

/**
 * Which output of a graph each input of a cache becomes, where one node takes it and gives that: nodes take and give keys
 * before values. Inputs that other nodes stand between are not told.
 */
export function grownCaches(
  { nodes }: GraphParts,
  inputs: ReadonlySet<string>,
  outputs: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const grown = new Map<string, string>();
  for (const node of nodes) {
    const taken = node.inputs.filter((name) => inputs.has(name));
    const given = node.outputs.filter((name) => outputs.has(name));
    if (taken.length !== given.length) continue;
    for (const [index, name] of taken.entries()) grown.set(name, given[index]);
  }
  return grown;
}
