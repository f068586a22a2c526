import type { OutputRequest } from '@foretoken/core';
import { append } from '@foretoken/core/kit';
import {
  type CacheValues,
  cacheTensor,
  HIDDEN,
  type OnnxRuntime,
  RowCache,
  STEADY_SLOTS,
  type StepDriver,
  type StepInputs,
  type StepOutputs,
  type Tensor,
} from '@foretoken/core/runtime';
import type { StepGraphs } from './step-graphs.js';
import type { TokenEncoding } from './token-encoder.js';

export interface ReadingStepShape {
  /** Numbers that a layer's keys take for a token, and its values. */
  readonly width: number;
  readonly layers: number;
  /** Whether attention depends on the distance of keys, so that the graph is told where they are. */
  readonly byDistance?: boolean | undefined;
}

/**
 * Least grid width of a row that is alone, and of all rows where others may join. ONNX Runtime attends with other kernels where
 * there is one query, and their sums differ in the last bits; with two and more they agree, so plain decoding and verification
 * get the same scores, bit by bit. The padding is not scored and costs next to nothing. In a batch it costs up to a third, so
 * there a lone node stays alone, unless rows may join.
 */
export const LONE_ROW_WIDTH = 2;

/** Where the keys and values of the open rows' sources lie. */
interface SourceRows {
  readonly rows: number;
  /** By layer and side, `[rows, sourceLength, width]`, views of these rows. */
  viewRows(firstRow: number, rows: number): readonly CacheValues[];
}

/** Runs the step graphs of a decoder that reads a source over one batch of encoded sources. */
export class ReadingStepDriver implements StepDriver {
  readonly #runtime: OnnxRuntime;
  readonly #graphs: StepGraphs;
  readonly #shape: ReadingStepShape;
  readonly #paddedWidth: (width: number) => number;
  readonly #minBatchWidth: number;
  /** Padded length of the open rows' sources, and their own. */
  #sourceLength: number;
  #lengths: number[];
  /** The encoding's own keys and values until a row ends or joins, then a copy. */
  #cross: SourceRows;
  /** Inputs of the next forward; what belongs to the sources stays while the same rows are fed. */
  readonly #feeds: Record<string, Tensor> = {};
  /** The rows whose sources are in the feeds. */
  #fed = { firstRow: -1, rows: 0 };
  /** Cross-attention bias of those rows by width. */
  #crossBiases: Tensor[] = [];
  readonly #crossNames: readonly string[];
  readonly #pastNames: readonly string[];

  /** `joining` says that rows may join. */
  constructor(
    runtime: OnnxRuntime,
    graphs: StepGraphs,
    shape: ReadingStepShape,
    encoding: TokenEncoding,
    paddedWidth: (width: number) => number,
    joining = false,
  ) {
    this.#runtime = runtime;
    this.#graphs = graphs;
    this.#shape = shape;
    this.#paddedWidth = paddedWidth;
    this.#minBatchWidth = joining ? LONE_ROW_WIDTH : 1;
    this.#sourceLength = encoding.sourceLength;
    this.#lengths = [...encoding.lengths];
    const parts = Array.from({ length: 2 * shape.layers }, (_, part) => part);
    this.#crossNames = parts.map((part) => `cross_${part}`);
    this.#pastNames = parts.map((part) => `past_${part}`);
    this.#cross = {
      rows: encoding.rows,
      viewRows: (firstRow, rows) => parts.map((part) => crossOf(encoding, part, firstRow, rows, shape.width)),
    };
    if (joining) this.#own(Math.ceil(this.#sourceLength / STEADY_SLOTS) * STEADY_SLOTS, STEADY_SLOTS);
  }

  paddedWidth(width: number, rows: number): number {
    return Math.max(this.#paddedWidth(width), rows === 1 ? LONE_ROW_WIDTH : this.#minBatchWidth);
  }

  async run(inputs: StepInputs, output: OutputRequest): Promise<StepOutputs> {
    const { firstRow, rows, width, pastLength, scored } = inputs;
    const { Tensor } = this.#runtime;
    const feeds = this.#feeds;
    this.#feedSources(firstRow, rows);
    feeds.token_ids = new Tensor('int32', inputs.tokenIds, [rows, width]);
    feeds.positions = new Tensor('int32', inputs.positions, [rows, width]);
    // A graph always scores something; what nobody asked for stays in the runtime.
    const cells = scored.length === 0 ? Int32Array.of(0) : scored;
    feeds.scored = new Tensor('int32', cells, [cells.length]);
    feeds.attention_bias = new Tensor('float32', inputs.attentionBias, [rows, 1, width, pastLength + width]);
    if (this.#shape.byDistance) {
      feeds.key_positions = new Tensor('int32', inputs.keyPositions(), [rows, pastLength + width]);
    }
    this.#crossBiases[width] ??= new Tensor('float32', this.#crossBias(width), [rows, 1, width, this.#sourceLength]);
    feeds.cross_bias = this.#crossBiases[width];
    const past = [rows, pastLength, this.#shape.width];
    for (let part = 0; part < this.#pastNames.length; part++) {
      feeds[this.#pastNames[part]] = cacheTensor(this.#runtime, inputs.past[part], past);
    }
    return this.#graphs.run(feeds, output, scored.length > 0);
  }

  releaseRow(row: number): void {
    const last = this.#lengths.pop() as number;
    if (this.#lengths.length === 0) return;
    // Others may still be reading the encoding.
    this.#own(this.#sourceLength).release(row);
    if (row < this.#lengths.length) this.#lengths[row] = last;
    this.#fed = { firstRow: -1, rows: 0 };
  }

  /** Adds rows after the last, for a driver that lets rows join. */
  admit(encoding: TokenEncoding): void {
    const { width } = this.#shape;
    const cache = this.#own(this.#sourceLength);
    const first = this.#lengths.length;
    cache.admit(encoding.rows);
    cache.reserve(encoding.sourceLength);
    this.#sourceLength = cache.capacity;
    for (let row = 0; row < encoding.rows; row++) {
      for (let part = 0; part < 2 * this.#shape.layers; part++) {
        cache.writePart(first + row, part, crossOf(encoding, part, row, 1, width));
      }
    }
    append(this.#lengths, encoding.lengths);
    this.#fed = { firstRow: -1, rows: 0 };
  }

  dispose(): void {
    this.#cross = { rows: 0, viewRows: () => [] };
    this.#crossBiases = [];
    for (const name of Object.keys(this.#feeds)) delete this.#feeds[name];
  }

  /** The sources' keys and values as a cache of the driver's own, of `sourceLength` slots a row where it is not there yet. */
  #own(sourceLength: number, block?: number): RowCache {
    if (this.#cross instanceof RowCache) return this.#cross;
    const { width, layers } = this.#shape;
    const encoded = this.#cross;
    const cache = new RowCache(encoded.rows, 2 * layers, width, block, sourceLength);
    for (let row = 0; row < encoded.rows; row++) {
      for (const [part, values] of encoded.viewRows(row, 1).entries()) cache.writePart(row, part, values);
    }
    this.#cross = cache;
    this.#sourceLength = sourceLength;
    return cache;
  }

  /** `[rows, 1, width, sourceLength]` of the rows that are fed: hides padding from every new node. */
  #crossBias(width: number): Float32Array {
    const time = this.#sourceLength;
    const { firstRow, rows } = this.#fed;
    const bias = new Float32Array(rows * width * time);
    for (let row = 0; row < rows; row++) {
      const length = this.#lengths[firstRow + row];
      if (length === time) continue;
      for (let node = 0; node < width; node++) {
        const begin = (row * width + node) * time;
        bias.fill(HIDDEN, begin + length, begin + time);
      }
    }
    return bias;
  }

  /** The rows' keys and values as graph inputs: views, since rows sit without gaps. */
  #feedSources(firstRow: number, rows: number): void {
    if (this.#fed.firstRow === firstRow && this.#fed.rows === rows) return;
    const dims = [rows, this.#sourceLength, this.#shape.width];
    for (const [part, values] of this.#cross.viewRows(firstRow, rows).entries()) {
      this.#feeds[this.#crossNames[part]] = cacheTensor(this.#runtime, values, dims);
    }
    this.#fed = { firstRow, rows };
    this.#crossBiases = [];
  }
}

/** Keys or values of some rows' sources in an encoding, `[rows, sourceLength, width]`: a view. */
function crossOf(encoding: TokenEncoding, part: number, firstRow: number, rows: number, width: number): Float32Array {
  const row = encoding.sourceLength * width;
  const begin = (part * encoding.rows + firstRow) * row;
  return encoding.cross.subarray(begin, begin + rows * row);
}
