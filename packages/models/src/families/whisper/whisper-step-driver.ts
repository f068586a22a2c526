import type { OutputRequest } from '@foretoken/core';
import {
  cacheTensor,
  type GraphSession,
  type OnnxRuntime,
  type StepDriver,
  type StepInputs,
  type StepOutputs,
  type Tensor,
} from '@foretoken/core/runtime';
import { StepRun } from '../../drivers/step-run.js';
import type { CrossParts } from './audio-encoder.js';
import { CrossRows } from './cross-rows.js';

/**
 * Least grid width of a row that is alone, and of all rows where others may join: products of one row take another path through ONNX
 * Runtime, whose sums differ in the last bits, so plain decoding and verification would differ.
 */
const LONE_ROW_WIDTH = 2;

export interface WhisperStepOptions {
  readonly runtime: OnnxRuntime;
  /** Gives the step graph, opening it on first use. */
  readonly session: () => Promise<GraphSession>;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  /** Positions of the encoder. */
  readonly positions: number;
}

/** Rows that a driver feeds: what their sources gave, and how many tokens stand before each output. */
export interface WhisperRows {
  readonly sources: readonly CrossParts[];
  readonly promptLengths: readonly number[];
}

/** Runs the step graph of a Whisper model over encoded windows of sound. */
export class WhisperStepDriver implements StepDriver {
  readonly #options: WhisperStepOptions;
  readonly #minBatchWidth: number;
  readonly #step: StepRun;
  readonly #cross: CrossRows;
  #promptLengths: number[];
  /** Inputs that belong to the sources of the rows fed last. */
  #fed:
    | { readonly firstRow: number; readonly rows: number; readonly feeds: Readonly<Record<string, Tensor>> }
    | undefined;

  /** `joining` says that rows may join. */
  constructor(options: WhisperStepOptions, { sources, promptLengths }: WhisperRows, joining = false) {
    this.#options = options;
    this.#minBatchWidth = joining ? LONE_ROW_WIDTH : 1;
    this.#step = new StepRun({ ...options, keyValueWidth: options.width });
    this.#cross = new CrossRows(sources);
    this.#promptLengths = [...promptLengths];
  }

  paddedWidth(width: number, rows: number): number {
    return Math.max(width, rows === 1 ? LONE_ROW_WIDTH : this.#minBatchWidth);
  }

  run(inputs: StepInputs, output: OutputRequest): Promise<StepOutputs> {
    return this.#step.run(inputs, output, this.#sourceFeeds(inputs.firstRow, inputs.rows));
  }

  releaseRow(row: number): void {
    this.#cross.release(row);
    this.#promptLengths[row] = this.#promptLengths[this.#promptLengths.length - 1];
    this.#promptLengths.pop();
    this.#fed = undefined;
  }

  /** Adds rows after the last. */
  admit({ sources, promptLengths }: WhisperRows): void {
    this.#cross.admit(sources);
    this.#promptLengths = [...this.#promptLengths, ...promptLengths];
    this.#fed = undefined;
  }

  dispose(): void {
    this.#cross.dispose();
    this.#fed = undefined;
  }

  #sourceFeeds(firstRow: number, rows: number): Readonly<Record<string, Tensor>> {
    if (this.#fed?.firstRow === firstRow && this.#fed.rows === rows) return this.#fed.feeds;
    const { runtime, width, heads, positions } = this.#options;
    const headWidth = width / heads;
    const feeds: Record<string, Tensor> = {};
    for (const [part, values] of this.#cross.parts(firstRow, rows).entries()) {
      const dims = part % 2 === 0 ? [headWidth, positions] : [positions, headWidth];
      feeds[`cross_${part}`] = cacheTensor(runtime, values, [rows, heads, ...dims]);
    }
    const begins = Int32Array.from({ length: rows }, (_, row) => this.#promptLengths[firstRow + row] - 1);
    feeds.begin = new runtime.Tensor('int32', begins, [rows, 1]);
    this.#fed = { firstRow, rows, feeds };
    return feeds;
  }
}
