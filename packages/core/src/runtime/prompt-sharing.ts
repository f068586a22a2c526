import type { NewNodes } from '../contract/token-tree.js';
import { NodeBatch } from '../kit/node-batch.js';
import { Yielder } from '../kit/yielder.js';
import { SharedPrefixes } from './shared-prefixes.js';
import type { TreeRow } from './tree-row.js';

/** A row with a prefix that it has read in part. */
export interface ReadingRow {
  /** Its index in the forest. */
  readonly row: number;
  /** Tokens that it must begin with. */
  readonly prefix: Int32Array;
  /** Nodes of the row. */
  readonly tree: TreeRow;
  /** How many slots, from the first on, hold the prefix. */
  read: number;
}

/** How rows are read. */
export interface SharedReading<Row extends ReadingRow> {
  /** Stops the reading. */
  readonly signal: AbortSignal | undefined;
  /** Computes new nodes, none of which is scored. */
  readonly read: (nodes: NewNodes) => Promise<unknown>;
  /** Gives a row what another has read of the same `length` tokens. */
  readonly copy: (donor: Row, row: Row, length: number) => void;
}

/** Finds what prefixes of rows have in common, by blocks of `block` tokens, and has it read once. */
export class PromptSharing {
  readonly #block: number;
  readonly #own: number;

  /** `own` tokens at least are read by each row itself: the last, which is to be scored, or more. */
  constructor(block: number, own: number = 1) {
    this.#block = block;
    this.#own = own;
  }

  /** The row that has read most of what a prefix begins with, and how much of that can be shared. */
  donorOf<Row extends ReadingRow>(
    rows: readonly Row[],
    prefix: Int32Array,
  ): { readonly row: Row; readonly length: number } | undefined {
    let donor: { readonly row: Row; readonly length: number } | undefined;
    for (const row of rows) {
      const max = Math.min(row.read, prefix.length - this.#own);
      let same = 0;
      while (same < max && row.prefix[same] === prefix[same]) same++;
      same -= same % this.#block;
      if (same > (donor?.length ?? 0)) donor = { row, length: same };
    }
    return donor;
  }

  /**
   * Reads once what the prefixes of rows have in common, and copies it. A row that shares more with a second one than with the
   * first waits until the second has gone on from there.
   */
  async read<Row extends ReadingRow>(rows: readonly Row[], { signal, read, copy }: SharedReading<Row>): Promise<void> {
    const yielder = new Yielder(signal);
    const prefixes = new SharedPrefixes(this.#block, this.#own);
    /** How much of its prefix each row reads here. */
    const wanted = Int32Array.from(rows, (row) => row.read);
    let waiting: { readonly row: Row; readonly donor: Row; readonly length: number }[] = [];
    for (const row of rows) {
      const shared = prefixes.add(row.prefix);
      if (yielder.due()) await yielder.yield();
      if (shared === undefined || shared.length <= row.read) continue;
      const { donor, length } = shared;
      wanted[donor] = Math.max(wanted[donor], length);
      waiting.push({ row, donor: rows[donor], length });
    }
    const nodes = new NodeBatch();
    while (waiting.length > 0) {
      const blocked = new Set(waiting.map(({ row }) => row));
      nodes.clear();
      for (const [index, row] of rows.entries()) {
        if (blocked.has(row)) continue;
        const own = row.prefix.subarray(row.read, wanted[index]);
        nodes.addChain(row.row, row.tree.nodeAt(row.read - 1), own, 'none');
      }
      if (nodes.size > 0) await read(nodes);
      waiting = waiting.filter(({ row, donor, length }) => {
        if (donor.read < length) return true;
        copy(donor, row, length);
        return false;
      });
    }
  }
}
