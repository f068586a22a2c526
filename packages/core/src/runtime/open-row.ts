import type { ReadingRow } from './prompt-sharing.js';

/** A row of a forest that is not finished. */
export interface OpenRow extends ReadingRow {
  /** Place among the open rows. */
  gridRow: number;
  /** How many of the prefix were there when the row was handed out. */
  cached: number;
}
