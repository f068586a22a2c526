import type { DraftTree } from '@foretoken/core';

/**
 * The longest path of a draft that the target agrees with, as indices of draft nodes (Leviathan et al., 2023, greedy
 * case; Miao et al., 2024, "SpecInfer", for trees).
 *
 * `chosen` holds the target's choice after each scored node: at `first - 1` for the node the draft hangs from, at
 * `first + i` for draft node i. Siblings differ, so at most one of them agrees, and one pass finds the path.
 */
export function agreedPath(draft: DraftTree, chosen: Int32Array, first: number): number[] {
  const { tokenIds, parents } = draft;
  const path: number[] = [];
  let deepest = -1;
  for (let node = 0; node < tokenIds.length; node++) {
    if (parents[node] === deepest && tokenIds[node] === chosen[first + deepest]) {
      path.push(node);
      deepest = node;
    }
  }
  return path;
}

/**
 * Nodes whose choices a round decides, as indices into `chosen`: the node the draft hangs from and the agreed path. The
 * choice after the last one is the correction, or the bonus where the path ended in a leaf.
 */
export function decidingNodes(path: readonly number[], first: number): number[] {
  const nodes = [first - 1];
  for (const node of path) nodes.push(first + node);
  return nodes;
}
