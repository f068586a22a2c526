import type { Extension, OutputRequest } from '../contract/token-tree.js';

/** A grid of new nodes, `[rows, width]`, and the cached keys and values they attend to. Arrays are read during the call. */
export interface StepInputs {
  readonly rows: number;
  readonly width: number;
  /** Cached slots in each row, used or masked. */
  readonly pastLength: number;
  readonly tokenIds: Int32Array;
  /** Place of each new node in its sequence, `[rows, width]`. */
  readonly positions: Int32Array;
  /** `[rows, 1, width, pastLength + width]`: 0 where a node sees another, a large negative number elsewhere. */
  readonly attentionBias: Float32Array;
  /** Cached keys and values by part (a layer's keys, or its values), `[rows, pastLength, partWidth]` each. */
  readonly past: readonly Float32Array[];
  /** Grid cells, `row * width + column`, whose successors are to be scored, in the order the scores are wanted. */
  readonly scored: Int32Array;
}

/** What a step graph returned. */
export interface StepOutputs {
  /** New keys and values of every grid cell, `[rows, width, parts * partWidth]`. */
  readonly keysValues: Float32Array;
  /** Scores of the `scored` cells, in the kind asked for; node ids are the forest's matter. */
  readonly extension: ExtensionValues;
}

/** An extension without the ids of its nodes. */
export type ExtensionValues = {
  [Kind in Extension['kind']]: Omit<Extract<Extension, { kind: Kind }>, 'firstNode'>;
}[Extension['kind']];

/** A model's step graphs with the state of its sources, as the token forest drives them. Owned by the forest. */
export interface StepDriver {
  run(inputs: StepInputs, output: OutputRequest): Promise<StepOutputs>;
  /** The grid width to use where the widest of `rows` rows has `width` new nodes: at least `width`. */
  paddedWidth(width: number, rows: number): number;
  /** Releases a row's source state; the last row takes its place. */
  releaseRow(row: number): void;
  dispose(): void;
}
