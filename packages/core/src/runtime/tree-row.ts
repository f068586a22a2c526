import type { NodeId } from '../contract/token-tree.js';
import { ROOT } from '../kit/node-batch.js';

/** Slots to copy within a row's cache: `length` slots from `from` to `to`, with `to < from`, in ascending order. */
export interface SlotMove {
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

/**
 * The shape of one row's token tree, as slots of a cache: which node sits in which slot, and who its parent is.
 *
 * Slots keep the order in which nodes were added, so a parent's slot is always lower than its children's. The leading
 * slots that form a chain (the trunk) are an ancestor path by position alone.
 */
export class TreeRow {
  readonly #nodes: NodeId[] = [];
  readonly #parents: number[] = [];
  readonly #depths: number[] = [];
  #trunk = 0;

  /** Slots in use. */
  get size(): number {
    return this.#nodes.length;
  }

  /** Slot of a node, or -1. Recent nodes are found first: a decoder almost always extends those. */
  slotOf(node: NodeId): number {
    return this.#nodes.lastIndexOf(node);
  }

  /** The node in a slot; `ROOT` for the root's own place, slot -1. */
  nodeAt(slot: number): NodeId {
    return slot < 0 ? ROOT : this.#nodes[slot];
  }

  /** Nodes from the root to this slot, itself included; 0 for the root's own place, slot -1. */
  depthOf(slot: number): number {
    return slot < 0 ? 0 : this.#depths[slot];
  }

  /** Appends a node whose parent sits in `parentSlot` (-1 for the root) and returns its slot. */
  append(node: NodeId, parentSlot: number): number {
    const slot = this.#nodes.length;
    this.#nodes.push(node);
    this.#parents.push(parentSlot);
    this.#depths.push(this.depthOf(parentSlot) + 1);
    if (parentSlot === slot - 1 && this.#trunk === slot) this.#trunk++;
    return slot;
  }

  /** Drops the newest nodes, as if they had never been added. */
  truncate(size: number): void {
    this.#nodes.length = size;
    this.#parents.length = size;
    this.#depths.length = size;
    this.#trunk = Math.min(this.#trunk, size);
  }

  /** Slot of a slot's parent, -1 for the root's own place. */
  parentOf(slot: number): number {
    return this.#parents[slot];
  }

  /** How many leading slots form a chain: the path to one of them is exactly the slots before it, itself included. */
  get trunk(): number {
    return this.#trunk;
  }

  /** Keeps only the paths to these slots; returns how the cache must be moved to stay aligned with the slots. */
  retain(leafSlots: readonly number[]): SlotMove[] {
    // The path to a slot of the trunk is what lies before it already.
    if (leafSlots.length === 1 && leafSlots[0] < this.#trunk) {
      this.truncate(leafSlots[0] + 1);
      return [];
    }
    const keep = new Uint8Array(this.size);
    for (const leaf of leafSlots) {
      for (let slot = leaf; slot >= 0 && keep[slot] === 0; slot = this.#parents[slot]) keep[slot] = 1;
    }
    const moves: SlotMove[] = [];
    const newSlot = new Int32Array(this.size);
    let next = 0;
    let trunk = 0;
    for (let slot = 0; slot < keep.length; slot++) {
      if (keep[slot] === 0) continue;
      newSlot[slot] = next;
      const parent = this.#parents[slot];
      const newParent = parent < 0 ? ROOT : newSlot[parent];
      if (newParent === next - 1 && trunk === next) trunk++;
      if (slot !== next) addMove(moves, slot, next);
      this.#nodes[next] = this.#nodes[slot];
      this.#parents[next] = newParent;
      this.#depths[next] = this.#depths[slot];
      next++;
    }
    this.truncate(next);
    this.#trunk = trunk;
    return moves;
  }
}

function addMove(moves: SlotMove[], from: number, to: number): void {
  const last = moves.at(-1);
  if (last !== undefined && last.from + last.length === from && last.to + last.length === to) {
    moves[moves.length - 1] = { ...last, length: last.length + 1 };
  } else {
    moves.push({ from, to, length: 1 });
  }
}
