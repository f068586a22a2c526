import type { OutputRequest } from '@foretoken/core';
import {
  cacheTensor,
  type OnnxRuntime,
  type StepDriver,
  type StepInputs,
  type StepOutputs,
  type Tensor,
} from '@foretoken/core/runtime';
import type { SourceFeeds } from './source-rows.js';
import type { StepGraphs } from './step-graphs.js';

export interface ReadingStepShape {
  /** Numbers that a layer's keys take for a token, and its values. */
  readonly width: number;
  readonly layers: number;
  /** Whether attention depends on the distance of keys, so that the graph is told where they are. */
  readonly byDistance?: boolean | undefined;
  /** Numbers of the state that a node keeps in place of keys and values, where layers are recurrent. */
  readonly stateWidth?: number | undefined;
}

/**
 * Least grid width of a row that is alone, and of all rows where others may join. ONNX Runtime attends with other kernels where
 * there is one query, and their sums differ in the last bits; with two and more they agree, so plain decoding and verification
 * get the same scores, bit by bit. The padding is not scored and costs next to nothing. In a batch it costs up to a third, so
 * there a lone node stays alone, unless rows may join.
 */
export const LONE_ROW_WIDTH = 2;

/** Runs the step graphs of a decoder that reads a source over one batch of encoded sources, which it disposes. */
export class ReadingStepDriver implements StepDriver {
  readonly #runtime: OnnxRuntime;
  readonly #graphs: StepGraphs;
  readonly #shape: ReadingStepShape;
  readonly #paddedWidth: (width: number) => number;
  readonly #minBatchWidth: number;
  readonly #sources: SourceFeeds;
  readonly #pastNames: readonly string[];
  /** Of the last step; the next one writes over it, since graphs read it during the call. */
  #feeds: Record<string, Tensor> = {};

  /** `joining` says that rows may join. */
  constructor(
    runtime: OnnxRuntime,
    graphs: StepGraphs,
    shape: ReadingStepShape,
    sources: SourceFeeds,
    paddedWidth: (width: number) => number,
    joining: boolean,
  ) {
    this.#runtime = runtime;
    this.#graphs = graphs;
    this.#shape = shape;
    this.#paddedWidth = paddedWidth;
    this.#minBatchWidth = joining ? LONE_ROW_WIDTH : 1;
    this.#sources = sources;
    this.#pastNames = Array.from({ length: 2 * shape.layers }, (_, part) => `past_${part}`);
  }

  paddedWidth(width: number, rows: number): number {
    return Math.max(this.#paddedWidth(width), rows === 1 ? LONE_ROW_WIDTH : this.#minBatchWidth);
  }

  run(inputs: StepInputs, output: OutputRequest): Promise<StepOutputs> {
    const { firstRow, rows, width, pastLength, scored } = inputs;
    const { Tensor } = this.#runtime;
    const feeds = Object.assign(this.#feeds, this.#sources.feeds(firstRow, rows, width));
    feeds.token_ids = new Tensor('int32', inputs.tokenIds, [rows, width]);
    feeds.positions = new Tensor('int32', inputs.positions, [rows, width]);
    // A graph always scores something; what nobody asked for stays in the runtime.
    const cells = scored.length === 0 ? Int32Array.of(0) : scored;
    feeds.scored = new Tensor('int32', cells, [cells.length]);
    feeds.attention_bias = new Tensor('float32', inputs.attentionBias, [rows, 1, width, pastLength + width]);
    if (this.#shape.byDistance) {
      feeds.key_positions = new Tensor('int32', inputs.keyPositions(), [rows, pastLength + width]);
    }
    const past = [rows, pastLength, this.#shape.width];
    for (let part = 0; part < this.#pastNames.length; part++) {
      feeds[this.#pastNames[part]] = cacheTensor(this.#runtime, inputs.past[part], past);
    }
    return this.#graphs.run(feeds, output, scored.length > 0);
  }

  releaseRow(row: number): void {
    this.#sources.releaseRow(row);
  }

  dispose(): void {
    this.#feeds = {};
    this.#sources.dispose();
  }
}
