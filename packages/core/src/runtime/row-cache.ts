import type { SlotMove } from './tree-row.js';

const BLOCK = 8;

/**
 * Keys and values of several token trees, time-major: one array a part (a layer's keys, or its values), `[rows, capacity,
 * partWidth]`, so that a graph reads each as it lies.
 *
 * A single row is read as exact views of its used slots, so nothing is padded or copied; several rows are read at one
 * common capacity, grown a block at a time, and the caller masks the unused slots. Rows sit without gaps: releasing one
 * moves the last into its place.
 */
export class RowCache {
  /** Floats a slot takes over all parts. */
  readonly stride: number;
  readonly #width: number;
  #parts: Float32Array[];
  #rows: number;
  #capacity: number;

  constructor(rows: number, parts: number, partWidth: number, capacity: number = rows === 1 ? 4 * BLOCK : BLOCK) {
    this.stride = parts * partWidth;
    this.#width = partWidth;
    this.#rows = rows;
    this.#capacity = capacity;
    this.#parts = Array.from({ length: parts }, () => new Float32Array(rows * capacity * partWidth));
  }

  get rows(): number {
    return this.#rows;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** The used slots of the only row by part, `[1, used, partWidth]`: views, valid until the next write. */
  viewSingle(used: number): Float32Array[] {
    return this.#parts.map((values) => values.subarray(0, used * this.#width));
  }

  /** All rows at full capacity by part, `[rows, capacity, partWidth]`: views, valid until the next write. */
  viewAll(): Float32Array[] {
    const size = this.#rows * this.#capacity * this.#width;
    return this.#parts.map((values) => values.subarray(0, size));
  }

  /** Makes room for `slots` slots in every row. */
  reserve(slots: number): void {
    if (slots <= this.#capacity) return;
    // A single row's view does not depend on the capacity, so it may grow geometrically; a batch pays for every
    // padded slot in each forward, so it grows by blocks.
    const wanted = this.#rows === 1 ? Math.max(slots, 2 * this.#capacity) : slots;
    const capacity = Math.ceil(wanted / BLOCK) * BLOCK;
    const size = this.#capacity * this.#width;
    this.#parts = this.#parts.map((values) => {
      const grown = new Float32Array(this.#rows * capacity * this.#width);
      for (let row = 0; row < this.#rows; row++) {
        grown.set(values.subarray(row * size, (row + 1) * size), row * capacity * this.#width);
      }
      return grown;
    });
    this.#capacity = capacity;
  }

  /** Writes `count` slots from `source [.., stride]`, starting at its slot `sourceSlot`, to the row's slot `slot`. */
  write(row: number, slot: number, source: Float32Array, sourceSlot: number, count: number): void {
    const width = this.#width;
    for (const [part, values] of this.#parts.entries()) {
      let from = sourceSlot * this.stride + part * width;
      let to = (row * this.#capacity + slot) * width;
      for (let index = 0; index < count; index++, from += this.stride, to += width) {
        values.set(source.subarray(from, from + width), to);
      }
    }
  }

  compact(row: number, moves: readonly SlotMove[]): void {
    const base = row * this.#capacity;
    const width = this.#width;
    for (const { from, to, length } of moves) {
      const begin = (base + from) * width;
      for (const values of this.#parts) values.copyWithin((base + to) * width, begin, begin + length * width);
    }
  }

  /** Releases a row; the last row takes its place. */
  release(row: number): void {
    const last = this.#rows - 1;
    const size = this.#capacity * this.#width;
    if (row !== last) {
      for (const values of this.#parts) values.copyWithin(row * size, last * size, (last + 1) * size);
    }
    this.#rows = last;
  }
}
