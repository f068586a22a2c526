import type { ForwardNodes } from './node-store.js';
import { type Lane, lanesByLevel } from './recurrent-lanes.js';

/** Recomputed nodes of a forward cost less than another forward, up to this many. */
const CHEAP_NODES = 16;

/**
 * The new nodes as chains that are run side by side, in rounds one after the other; every chain begins below a node that is stored
 * by then.
 *
 * One round has a chain for each new leaf, so what branches of one row have in common is computed once for each of them. Where that
 * is too much, a round only goes as far as the next branches, or as the token `chainEnd`. Without `chains` a graph takes one node of a
 * path at a time.
 */
export function pathRounds(
  nodes: ForwardNodes,
  chains: boolean,
  chainEnd: number | undefined,
): readonly (readonly Lane[])[] {
  if (!chains) return nodesByDepth(nodes);
  if (chainEnd !== undefined && nodes.tokenId.includes(chainEnd)) return lanesByLevel(nodes, chainEnd);
  const leaves = lanesToLeaves(nodes);
  const count = nodes.slot.length;
  const cells = leaves.reduce((sum, lane) => sum + lane.nodes.length, 0);
  return cells <= Math.max(2 * count, count + CHEAP_NODES) ? [leaves] : lanesByLevel(nodes);
}

/** A chain for each new node that no other new node hangs from, in the order in which those were given. */
function lanesToLeaves(nodes: ForwardNodes): Lane[] {
  const { trees, stored, gridRow, slot } = nodes;
  const nodeAt = newNodesBySlot(nodes);
  const isParent = new Uint8Array(slot.length);
  for (let node = 0; node < slot.length; node++) {
    const row = gridRow[node];
    const above = nodeAt(row, trees[row].parentOf(slot[node]));
    if (above >= 0) isParent[above] = 1;
  }
  const lanes: Lane[] = [];
  for (let leaf = 0; leaf < slot.length; leaf++) {
    if (isParent[leaf] === 1) continue;
    const row = gridRow[leaf];
    const chain: number[] = [];
    let at = slot[leaf];
    for (; at >= stored[row]; at = trees[row].parentOf(at)) chain.push(nodeAt(row, at));
    lanes.push({ gridRow: row, parentSlot: at, nodes: chain.reverse() });
  }
  return lanes;
}

/** Chains of one node, in rounds by their depth below what is stored. */
function nodesByDepth(nodes: ForwardNodes): Lane[][] {
  const { trees, gridRow, slot } = nodes;
  const nodeAt = newNodesBySlot(nodes);
  const rounds: Lane[][] = [];
  const roundOf = new Int32Array(slot.length);
  for (let node = 0; node < slot.length; node++) {
    const row = gridRow[node];
    const parentSlot = trees[row].parentOf(slot[node]);
    const above = nodeAt(row, parentSlot);
    const round = above < 0 ? 0 : roundOf[above] + 1;
    roundOf[node] = round;
    rounds[round] ??= [];
    rounds[round].push({ gridRow: row, parentSlot, nodes: [node] });
  }
  return rounds;
}

/** Finds the index of a new node by its row and slot; -1 for slots that are stored. */
function newNodesBySlot({ stored, firstRow, rows, width, gridRow, slot }: ForwardNodes) {
  const byPlace = new Int32Array(rows * width).fill(-1);
  const placeOf = (row: number, at: number): number => (row - firstRow) * width + at - stored[row];
  for (let node = 0; node < slot.length; node++) byPlace[placeOf(gridRow[node], slot[node])] = node;
  return (row: number, at: number): number => (at < stored[row] ? -1 : byPlace[placeOf(row, at)]);
}
