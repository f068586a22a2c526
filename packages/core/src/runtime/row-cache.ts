import { assertInteger } from '../kit/checks.js';
import { assertCacheValues, type CacheType, type CacheValues, cacheTypeOf, cacheZeros } from './cache-values.js';
import { assertMoves, assertOpenRow, assertRowCount, MAX_ROWS } from './store-checks.js';
import type { SlotMove } from './tree-row.js';

/** Slots by which the rows of a batch grow: each forward pays for every one of them. */
const BLOCK = 8;

/** Largest array that is kept for the next cache. */
const MAX_SPARE = 2 ** 20;

/** Most slots of a row, and most numbers of a slot in a part. */
const MAX_SIZE = 2 ** 31 - 1;

/**
 * Keys and values of several rows, of trees or of sources, time-major: one array a part (a layer's keys, or its values),
 * `[rows, capacity, partWidth]`, so that a graph reads each as it lies.
 *
 * A single row is read as exact views of its used slots, so nothing is padded or copied; several rows are read at one
 * common capacity, grown a block at a time, and the caller masks the unused slots. Rows sit without gaps: releasing one
 * moves the last into its place.
 */
export class RowCache {
  /** Floats a slot takes over all parts. */
  readonly stride: number;
  readonly #width: number;
  readonly #block: number;
  /** Of all parts, one after the other. */
  #all: CacheValues;
  #parts: CacheValues[];
  readonly #type: CacheType;
  #rows: number;
  /** Rows there is room for. */
  #room: number;
  #capacity: number;

  /** The capacity grows by multiples of `block`. What no row or slot is throws `INVALID_ARGUMENT`, in all methods. */
  constructor(
    rows: number,
    parts: number,
    partWidth: number,
    block: number = BLOCK,
    capacity: number = rows === 1 ? 4 * block : block,
    type: CacheType = 'float32',
  ) {
    assertRowCount(rows);
    assertInteger('parts', parts, 0, MAX_ROWS);
    assertInteger('partWidth', partWidth, 1, MAX_SIZE);
    assertInteger('block', block, 1, MAX_SIZE);
    assertInteger('capacity', capacity, 0, MAX_SIZE);
    this.#type = type;
    this.stride = parts * partWidth;
    this.#width = partWidth;
    this.#block = block;
    this.#rows = rows;
    this.#room = rows;
    this.#capacity = capacity;
    this.#all = spareZeros(type, parts * rows * capacity * partWidth);
    this.#parts = viewParts(this.#all, parts);
  }

  /** Open rows. */
  get rows(): number {
    return this.#rows;
  }

  /** Slots of each row that there is room for. */
  get capacity(): number {
    return this.#capacity;
  }

  /** The used slots of the only row by part, `[1, used, partWidth]`: views, valid until the next write. */
  viewSingle(used: number): CacheValues[] {
    assertInteger('used', used, 0, this.#capacity);
    return this.#parts.map((values) => values.subarray(0, used * this.#width));
  }

  /** Rows at full capacity by part, `[rows, capacity, partWidth]`: views, valid until the next write. */
  viewRows(firstRow: number, rows: number): CacheValues[] {
    assertInteger('rows', rows, 0, this.#rows);
    assertInteger('firstRow', firstRow, 0, this.#rows - rows);
    const size = this.#capacity * this.#width;
    return this.#parts.map((values) => values.subarray(firstRow * size, (firstRow + rows) * size));
  }

  /** Makes room for `slots` slots in every row. */
  reserve(slots: number): void {
    assertInteger('slots', slots, 0, MAX_SIZE);
    if (slots <= this.#capacity) return;
    // A single row's view does not depend on the capacity, so it may grow geometrically; a batch pays for every
    // padded slot in each forward, so it grows by blocks.
    const wanted = this.#rows === 1 ? Math.max(slots, 2 * this.#capacity) : slots;
    this.#resize(this.#room, Math.ceil(wanted / this.#block) * this.#block);
  }

  /** Gives room back where rows use no more than `slots` slots and have room for far more, as after a long row has ended. */
  relax(slots: number): void {
    assertInteger('slots', slots, 0, MAX_SIZE);
    const capacity = Math.max(1, Math.ceil(slots / this.#block)) * this.#block;
    if (2 * capacity <= this.#capacity) this.#resize(this.#room, capacity);
  }

  /** Adds empty rows after the last. */
  admit(rows: number): void {
    assertRowCount(rows, this.#rows);
    const wanted = this.#rows + rows;
    // Rows may come one at a time, and each growth copies all.
    if (wanted > this.#room) this.#resize(Math.max(wanted, 2 * this.#room), this.#capacity);
    const size = this.#capacity * this.#width;
    // A row that was there before may have left what is no number, which no mask hides.
    for (const values of this.#parts) values.fill(0, this.#rows * size, wanted * size);
    this.#rows = wanted;
  }

  #resize(room: number, capacity: number): void {
    const size = this.#capacity * this.#width;
    const kept = Math.min(this.#capacity, capacity) * this.#width;
    const all = cacheZeros(this.#type, room * capacity * this.stride);
    const resized = viewParts(all, this.#parts.length);
    for (const [part, values] of this.#parts.entries()) {
      for (let row = 0; row < this.#rows; row++) {
        resized[part].set(values.subarray(row * size, row * size + kept), row * capacity * this.#width);
      }
    }
    this.#all = all;
    this.#parts = resized;
    this.#room = room;
    this.#capacity = capacity;
  }

  /** Writes `count` slots from `source [.., stride]`, starting at its slot `sourceSlot`, to the row's slot `slot`. */
  write(row: number, slot: number, source: CacheValues, sourceSlot: number, count: number): void {
    assertOpenRow(row, this.#rows);
    assertInteger('count', count, 0, this.#capacity);
    assertInteger('slot', slot, 0, this.#capacity - count);
    assertInteger('sourceSlot', sourceSlot, 0, MAX_SIZE);
    assertCacheValues('source', source, this.#type, (sourceSlot + count) * this.stride, Number.POSITIVE_INFINITY);
    const width = this.#width;
    for (let part = 0; part < this.#parts.length; part++) {
      const values = this.#parts[part];
      let from = sourceSlot * this.stride + part * width;
      let to = (row * this.#capacity + slot) * width;
      for (let index = 0; index < count; index++, from += this.stride, to += width) {
        values.set(source.subarray(from, from + width), to);
      }
    }
  }

  /** Writes a part of a row's slots from 0 on, `[slots, partWidth]`. */
  writePart(row: number, part: number, values: CacheValues): void {
    assertOpenRow(row, this.#rows);
    assertInteger('part', part, 0, this.#parts.length - 1);
    assertCacheValues('values', values, this.#type, 0, this.#capacity * this.#width);
    this.#parts[part].set(values, row * this.#capacity * this.#width);
  }

  /** Copies the first slots of a row to the first of another. */
  copy(row: number, to: number, slots: number): void {
    assertOpenRow(row, this.#rows);
    assertOpenRow(to, this.#rows, 'to');
    assertInteger('slots', slots, 0, this.#capacity);
    const begin = row * this.#capacity * this.#width;
    for (const values of this.#parts) {
      values.copyWithin(to * this.#capacity * this.#width, begin, begin + slots * this.#width);
    }
  }

  /** Moves what a row keeps to its new slots, in the order of the moves. */
  compact(row: number, moves: readonly SlotMove[]): void {
    assertOpenRow(row, this.#rows);
    assertMoves(moves, this.#capacity);
    const base = row * this.#capacity;
    const width = this.#width;
    for (const { from, to, length } of moves) {
      const begin = (base + from) * width;
      for (const values of this.#parts) values.copyWithin((base + to) * width, begin, begin + length * width);
    }
  }

  /** Releases a row; the last row takes its place. */
  release(row: number): void {
    assertOpenRow(row, this.#rows);
    const last = this.#rows - 1;
    const size = this.#capacity * this.#width;
    if (row !== last) {
      for (const values of this.#parts) values.copyWithin(row * size, last * size, (last + 1) * size);
    }
    this.#rows = last;
  }

  /** Releases all rows, and leaves the memory to the next cache: no view is valid any more. */
  dispose(): void {
    if (this.#all.length > 0 && this.#all.length <= MAX_SPARE) spare = this.#all;
    this.#all = cacheZeros(this.#type, 0);
    this.#parts = viewParts(this.#all, this.#parts.length);
    this.#rows = 0;
    this.#room = 0;
    this.#capacity = 0;
  }
}

/**
 * The array of a cache that nobody reads any more. A decode of one sentence opens a cache as large as the one before it, and new
 * memory takes longer to get, and to be touched first, than old memory to be cleared.
 */
let spare: CacheValues | undefined;

function spareZeros(type: CacheType, length: number): CacheValues {
  if (spare?.length !== length || cacheTypeOf(spare) !== type) return cacheZeros(type, length);
  const zeros = spare.fill(0);
  spare = undefined;
  return zeros;
}

/** Views of equal parts: many small arrays take several times as long to make. */
function viewParts(all: CacheValues, parts: number): CacheValues[] {
  const size = all.length / parts;
  const views: CacheValues[] = [];
  for (let part = 0; part < parts; part++) views.push(all.subarray(part * size, (part + 1) * size));
  return views;
}
