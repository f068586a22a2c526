import type { StoreForestOptions } from './store-forest-options.js';
import type { TreeRow } from './tree-row.js';

/** A row of a forest that is not finished. */
export interface OpenRow {
  readonly row: number;
  readonly prefix: Int32Array;
  readonly tree: TreeRow;
  /** Place among the open rows. */
  gridRow: number;
  /** How many of the prefix were there when the row joined. */
  readonly cached: number;
  /** How many slots, from the first on, hold the prefix. */
  read: number;
}

/** The open row that has read most of what a prefix begins with, and how much of it can be shared; the last is always read. */
export function donorOf(
  prefix: Int32Array,
  rows: readonly OpenRow[],
  { sharedBlock, store }: Pick<StoreForestOptions<never>, 'sharedBlock' | 'store'>,
): { readonly donor: OpenRow | undefined; readonly cached: number } {
  let donor: OpenRow | undefined;
  let cached = 0;
  if (sharedBlock === undefined || store.copy === undefined) return { donor, cached };
  for (const open of rows) {
    const max = Math.min(open.read, prefix.length - 1);
    let same = 0;
    while (same < max && open.prefix[same] === prefix[same]) same++;
    same -= same % sharedBlock;
    if (same <= cached) continue;
    donor = open;
    cached = same;
  }
  return { donor, cached };
}
