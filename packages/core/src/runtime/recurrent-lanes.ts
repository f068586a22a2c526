import type { ForwardNodes } from './node-store.js';

/** A chain of new nodes, each the parent of the next. */
export interface Lane {
  readonly gridRow: number;
  /** Slot of the first node's parent, -1 for the root's place. */
  readonly parentSlot: number;
  /** As indices into the new nodes. */
  readonly nodes: number[];
}

/**
 * The new nodes as chains, level by level: a chain of level 0 begins below what the store holds, one of level n below a chain of
 * level n - 1. A node's first child goes on with its chain; the others begin chains of the next level. Within a level the
 * longest chain comes first. A chain ends with the token `chainEnd`, where it has it.
 */
export function lanesByLevel(
  { trees, stored, firstRow, rows, width, gridRow, slot, tokenId }: ForwardNodes,
  chainEnd?: number,
): readonly Lane[][] {
  const levels: Lane[][] = [];
  /** The chain of each new node by row and column, its level, and whether the node has a child in it. */
  const laneAt: (Lane | undefined)[] = Array.from({ length: rows * width });
  const levelAt = new Int32Array(rows * width);
  for (let node = 0; node < slot.length; node++) {
    const row = gridRow[node];
    const at = slot[node];
    const first = stored[row];
    const line = (row - firstRow) * width - first;
    const parentSlot = trees[row].parentOf(at);
    const above = parentSlot < first ? undefined : laneAt[line + parentSlot];
    const last = above?.nodes[above.nodes.length - 1] ?? -1;
    const goesOn = above !== undefined && slot[last] === parentSlot && tokenId[last] !== chainEnd;
    const level = above === undefined ? 0 : levelAt[line + parentSlot] + (goesOn ? 0 : 1);
    const lane: Lane = goesOn ? above : { gridRow: row, parentSlot, nodes: [] };
    if (!goesOn) {
      levels[level] ??= [];
      levels[level]?.push(lane);
    }
    lane.nodes.push(node);
    laneAt[line + at] = lane;
    levelAt[line + at] = level;
  }
  for (const level of levels) level.sort((one, other) => other.nodes.length - one.nodes.length);
  return levels;
}
