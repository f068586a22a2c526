import type { SlotMove } from './tree-row.js';

const BLOCK = 8;

/**
 * Key and value rows of several token trees in one time-major array, `[rows, capacity, stride]`.
 *
 * A single row is read as an exact view of its used slots, so nothing is padded or copied; several rows are read at one
 * common capacity, grown a block at a time, and the caller masks the unused slots. Rows sit without gaps: releasing one
 * moves the last into its place.
 */
export class RowCache {
  readonly stride: number;
  #data: Float32Array;
  #rows: number;
  #capacity: number;

  constructor(rows: number, stride: number, capacity: number = rows === 1 ? 4 * BLOCK : BLOCK) {
    this.stride = stride;
    this.#rows = rows;
    this.#capacity = capacity;
    this.#data = new Float32Array(rows * capacity * stride);
  }

  get rows(): number {
    return this.#rows;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** The used slots of the only row, `[1, used, stride]`: a view, valid until the next write. */
  viewSingle(used: number): Float32Array {
    return this.#data.subarray(0, used * this.stride);
  }

  /** All rows at full capacity, `[rows, capacity, stride]`: a view, valid until the next write. */
  viewAll(): Float32Array {
    return this.#data.subarray(0, this.#rows * this.#capacity * this.stride);
  }

  /** Makes room for `slots` slots in every row. */
  reserve(slots: number): void {
    if (slots <= this.#capacity) return;
    // A single row's view does not depend on the capacity, so it may grow geometrically; a batch pays for every
    // padded slot in each forward, so it grows by blocks.
    const wanted = this.#rows === 1 ? Math.max(slots, 2 * this.#capacity) : slots;
    const capacity = Math.ceil(wanted / BLOCK) * BLOCK;
    const grown = new Float32Array(this.#rows * capacity * this.stride);
    for (let row = 0; row < this.#rows; row++) {
      const begin = row * this.#capacity * this.stride;
      grown.set(this.#data.subarray(begin, begin + this.#capacity * this.stride), row * capacity * this.stride);
    }
    this.#data = grown;
    this.#capacity = capacity;
  }

  /** Writes `count` slots from `source [.., stride]`, starting at its slot `sourceSlot`, to the row's slot `slot`. */
  write(row: number, slot: number, source: Float32Array, sourceSlot: number, count: number): void {
    const begin = sourceSlot * this.stride;
    const target = (row * this.#capacity + slot) * this.stride;
    this.#data.set(source.subarray(begin, begin + count * this.stride), target);
  }

  compact(row: number, moves: readonly SlotMove[]): void {
    const base = row * this.#capacity;
    for (const { from, to, length } of moves) {
      const begin = (base + from) * this.stride;
      this.#data.copyWithin((base + to) * this.stride, begin, begin + length * this.stride);
    }
  }

  /** Releases a row; the last row takes its place. */
  release(row: number): void {
    const last = this.#rows - 1;
    const size = this.#capacity * this.stride;
    if (row !== last) this.#data.copyWithin(row * size, last * size, (last + 1) * size);
    this.#rows = last;
  }
}
