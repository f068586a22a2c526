import type { TokenSource } from '@foretoken/core';
import { append } from '@foretoken/core/kit';
import {
  type CacheValues,
  cacheTensor,
  HIDDEN,
  type OnnxRuntime,
  RowCache,
  STEADY_SLOTS,
  type Tensor,
} from '@foretoken/core/runtime';
import type { TokenEncoding } from './token-encoder.js';

/** Sizes of what a decoder keeps of a source. */
interface SourceShape {
  /** Numbers that a layer's keys take for a token, and its values. */
  readonly width: number;
  readonly layers: number;
}

/** Where the keys and values of the open rows' sources lie. */
interface CrossRows {
  readonly rows: number;
  /** By layer and side, `[rows, sourceLength, width]`, views of these rows. */
  viewRows(firstRow: number, rows: number): readonly CacheValues[];
}

/** What a decoder's graph is fed with of the sources of open rows. */
export interface SourceFeeds {
  /** Of these rows, of which each has `width` new nodes. To be read only. */
  feeds(firstRow: number, rows: number, width: number): Readonly<Record<string, Tensor>>;
  /** Releases a row; the last takes its place. */
  releaseRow(row: number): void;
  /** Adds rows after the last, where rows may join. */
  admit(encoding: TokenEncoding, sources: readonly TokenSource[]): void;
  dispose(): void;
}

/** The encoded sources of the open rows of a forest, as a decoder's graph is fed with them. */
export class SourceRows implements SourceFeeds {
  readonly #runtime: OnnxRuntime;
  readonly #shape: SourceShape;
  /** Padded length of the open rows' sources, and their own. */
  #sourceLength: number;
  #lengths: number[];
  /** The encoding's own keys and values until a row ends or joins, then a copy. */
  #cross: CrossRows;
  /** What was fed last; it stays while the same rows are fed. */
  readonly #feeds: Record<string, Tensor> = {};
  #fed = { firstRow: -1, rows: 0 };
  /** Cross-attention bias of those rows by width. */
  #biases: Tensor[] = [];
  readonly #names: readonly string[];

  /** `joining` says that rows may join. */
  constructor(runtime: OnnxRuntime, shape: SourceShape, encoding: TokenEncoding, joining: boolean) {
    this.#runtime = runtime;
    this.#shape = shape;
    this.#sourceLength = encoding.sourceLength;
    this.#lengths = [...encoding.lengths];
    const parts = Array.from({ length: 2 * shape.layers }, (_, part) => part);
    this.#names = parts.map((part) => `cross_${part}`);
    this.#cross = {
      rows: encoding.rows,
      viewRows: (firstRow, rows) => parts.map((part) => crossOf(encoding, part, firstRow, rows, shape.width)),
    };
    if (joining) this.#own(Math.ceil(this.#sourceLength / STEADY_SLOTS) * STEADY_SLOTS, STEADY_SLOTS);
  }

  /** `cross_i` and `cross_bias` of these rows, of which each has `width` new nodes. To be read only. */
  feeds(firstRow: number, rows: number, width: number): Readonly<Record<string, Tensor>> {
    const { Tensor } = this.#runtime;
    if (this.#fed.firstRow !== firstRow || this.#fed.rows !== rows) {
      const dims = [rows, this.#sourceLength, this.#shape.width];
      // Views, since rows sit without gaps.
      for (const [part, values] of this.#cross.viewRows(firstRow, rows).entries()) {
        this.#feeds[this.#names[part]] = cacheTensor(this.#runtime, values, dims);
      }
      this.#fed = { firstRow, rows };
      this.#biases = [];
    }
    this.#biases[width] ??= new Tensor('float32', this.#bias(width), [rows, 1, width, this.#sourceLength]);
    this.#feeds.cross_bias = this.#biases[width];
    return this.#feeds;
  }

  /** Releases a row; the last takes its place. */
  releaseRow(row: number): void {
    this.#lengths[row] = this.#lengths[this.#lengths.length - 1];
    this.#lengths.pop();
    if (this.#lengths.length === 0) return;
    // Others may still be reading the encoding.
    this.#own(this.#sourceLength).release(row);
    this.#fed = { firstRow: -1, rows: 0 };
  }

  /** Adds rows after the last, where rows may join. */
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
    this.#biases = [];
    for (const name of Object.keys(this.#feeds)) delete this.#feeds[name];
  }

  /** The sources' keys and values as a cache of its own, of `sourceLength` slots a row where it is not there yet. */
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
  #bias(width: number): Float32Array {
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
}

/** Keys or values of some rows' sources in an encoding, `[rows, sourceLength, width]`: a view. */
function crossOf(encoding: TokenEncoding, part: number, firstRow: number, rows: number, width: number): Float32Array {
  const row = encoding.sourceLength * width;
  const begin = (part * encoding.rows + firstRow) * row;
  return encoding.cross.subarray(begin, begin + rows * row);
}
