import type { Extension, OutputRequest } from '../contract/token-tree.js';
import type { SlotMove, TreeRow } from './tree-row.js';

/** New nodes of one forward, as places in trees: they are slots already, and the store does not hold them yet. */
export interface ForwardNodes {
  /** Trees of all open rows by grid row, the new nodes included. */
  readonly trees: readonly TreeRow[];
  /** Slots that the store holds of each open row; a row's new nodes have the slots after those. */
  readonly stored: Int32Array;
  /** The grid rows that have new nodes are among the `rows` from `firstRow` on. */
  readonly firstRow: number;
  /** Grid rows of this forward. */
  readonly rows: number;
  /** Columns that a grid of these rows needs: as many as the most new nodes of a row, or more. */
  readonly width: number;
  /** Grid row of each new node; parents come before their children, a row's nodes in the order of their slots. */
  readonly gridRow: Int32Array;
  /** Slot of each new node in its tree. */
  readonly slot: Int32Array;
  /** Token of each new node. */
  readonly tokenId: Int32Array;
  /** The nodes whose successors are to be scored, as indices into the arrays above, ascending; there may be none. */
  readonly scored: Int32Array;
}

/** An extension without the ids of its nodes. */
export type ExtensionValues = {
  [Kind in Extension['kind']]: Omit<Extract<Extension, { kind: Kind }>, 'firstNode'>;
}[Extension['kind']];

/**
 * What nodes keep so that their children can be scored, and the forwards that compute it: keys and values, a recurrent state.
 *
 * A forest owns its store and calls it for one thing at a time. Open rows are grid rows without gaps: where one is released,
 * the last takes its place.
 */
export interface NodeStore {
  /**
   * Computes and keeps what the nodes need, and scores the successors of the scored ones, in their order. Where it throws, or
   * where the forest drops the slots again, what it wrote there does not count.
   */
  extend(nodes: ForwardNodes, output: OutputRequest): Promise<ExtensionValues>;
  /** Moves what a row keeps, as its tree was compacted. */
  compact(gridRow: number, moves: readonly SlotMove[]): void;
  /**
   * Gives an empty row what another keeps in its first slots; a store that has it keeps for a node what the tokens up to it say,
   * and nothing of the source.
   */
  copy?(gridRow: number, to: number, slots: number): void;
  /** Adds empty rows after the last. */
  admit(rows: number): void;
  /** Releases a row; the last row takes its place. */
  release(gridRow: number): void;
  dispose(): void;
}
