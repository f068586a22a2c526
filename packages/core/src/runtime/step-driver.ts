import type { OutputRequest } from '../contract/token-tree.js';
import type { CacheValues } from './cache-values.js';
import type { ExtensionValues } from './node-store.js';

/** A grid of new nodes, `[rows, width]`, and the cached keys and values they attend to. Arrays are read during the call. */
export interface StepInputs {
  /** The grid's first row among the open rows. */
  readonly firstRow: number;
  /** Rows of the grid. */
  readonly rows: number;
  /** Columns of the grid. */
  readonly width: number;
  /** Cached slots in each row, used or masked. */
  readonly pastLength: number;
  /** Token of each cell, `[rows, width]`. */
  readonly tokenIds: Int32Array;
  /** Place of each new node in its sequence, `[rows, width]`. */
  readonly positions: Int32Array;
  /** `[rows, 1, width, pastLength + width]`: 0 where a node sees another, a large negative number elsewhere. */
  readonly attentionBias: Float32Array;
  /** Place of each key in its sequence, `[rows, pastLength + width]`, for models that attend by distance; 0 where nothing is. */
  readonly keyPositions: () => Int32Array;
  /** Cached keys and values by part (a layer's keys, or its values), `[rows, pastLength, partWidth]` each. */
  readonly past: readonly CacheValues[];
  /** Grid cells, `row * width + column`, whose successors are to be scored, in the order of the scores; there may be none. */
  readonly scored: Int32Array;
}

/** What a step graph returned. */
export interface StepOutputs {
  /** New keys and values of every grid cell, `[rows, width, parts * partWidth]`. */
  readonly keysValues: CacheValues;
  /** Scores of the `scored` cells, in the kind asked for; where there are none, empty arrays. */
  readonly extension: ExtensionValues;
}

/** A model's step graphs with the state of its sources, as a store of keys and values drives them. Owned by the store. */
export interface StepDriver {
  /** Runs the step once. Throws `RUNTIME_FAILURE`. */
  run(inputs: StepInputs, output: OutputRequest): Promise<StepOutputs>;
  /** The grid width to use where the widest row has `width` new nodes and `rows` rows are open: at least `width`. */
  paddedWidth(width: number, rows: number): number;
  /** Releases a row's source state; the last row takes its place. */
  releaseRow(row: number): void;
  /** Releases the source states of all rows. */
  dispose(): void;
}
