import type { Yielder } from '@foretoken/core/kit';
import type { DeferredDense } from './matrices.js';

/** Rows that are quantised before other work may have its turn. */
const ROWS = 64;

/**
 * A matrix `[rows, columns]` in blocks of `size` columns: `quantised [rows, blocks, bytes]`, two values a byte where they
 * have 4 bits, the first in the lower half; `scales [rows, blocks]`; `zeros [rows, blocks]`, the whole numbers that stand for 0,
 * with 4 bits two a byte, `[rows, ceil(blocks / 2)]`. A value is `(quantised - zero) * scale`; the last block is filled up with zeros.
 */
export interface QuantisedBlocks {
  readonly dims: readonly [rows: number, blocks: number, bytes: number];
  readonly quantised: (pace: Yielder) => Promise<Uint8Array>;
  readonly scales: (pace: Yielder) => Promise<Float32Array>;
  readonly zeroDims: readonly [rows: number, bytes: number];
  readonly zeros: (pace: Yielder) => Promise<Uint8Array>;
}

/**
 * Quantises each block from its own smallest to its own largest value, so that no step is spent on numbers that it has not. The
 * values are made once, and let go when all three parts were taken.
 */
export function quantiseBlocks(matrix: DeferredDense, bits: 8 | 4, size: number): QuantisedBlocks {
  const [rows, columns] = matrix.dims;
  const blocks = Math.ceil(columns / size);
  let made: ReturnType<typeof quantise> | undefined;
  let taken = 0;
  const take = (pace: Yielder) => {
    made ??= quantise(matrix, bits, size, pace);
    const parts = made;
    if (++taken === 3) made = undefined;
    return parts;
  };
  return {
    dims: [rows, blocks, (size * bits) / 8],
    quantised: async (pace) => (await take(pace)).quantised,
    scales: async (pace) => (await take(pace)).scales,
    zeroDims: [rows, Math.ceil((blocks * bits) / 8)],
    zeros: async (pace) => (await take(pace)).zeros,
  };
}

async function quantise(matrix: DeferredDense, bits: 8 | 4, size: number, pace: Yielder) {
  const [rows, columns] = matrix.dims;
  const blocks = Math.ceil(columns / size);
  const values = await matrix.values(pace);
  const scales = new Float32Array(rows * blocks);
  const quantised = new WholeNumbers(rows, blocks * size, bits);
  const zeros = new WholeNumbers(rows, blocks, bits);
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const begin = row * columns + block * size;
      const end = Math.min(begin + size, (row + 1) * columns);
      const { scale, zero } = rangeOf(values, begin, end, bits);
      scales[row * blocks + block] = scale;
      zeros.set(row, block, zero);
      for (let place = 0; place < size; place++) {
        const value = begin + place < end && scale > 0 ? values[begin + place] / scale : 0;
        quantised.set(row, block * size + place, Math.round(value) + zero);
      }
    }
    if (row % ROWS === 0 && pace.due()) await pace.yield();
  }
  return { quantised: quantised.bytes, scales, zeros: zeros.bytes };
}

/** Rows of whole numbers of 8 or 4 bits; each row begins with a byte of its own. */
class WholeNumbers {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #rowBytes: number;
  readonly #bits: 8 | 4;

  constructor(rows: number, columns: number, bits: 8 | 4) {
    this.#bits = bits;
    this.#rowBytes = Math.ceil((columns * bits) / 8);
    this.bytes = new Uint8Array(rows * this.#rowBytes);
  }

  /** Sets a number that was not set before, the nearest there is. */
  set(row: number, column: number, value: number): void {
    const max = 2 ** this.#bits - 1;
    const whole = Math.max(0, Math.min(max, value));
    const begin = row * this.#rowBytes;
    if (this.#bits === 8) this.bytes[begin + column] = whole;
    else this.bytes[begin + (column >> 1)] |= column % 2 === 0 ? whole : whole << 4;
  }
}

/** Steps from the smallest to the largest value, 0 among them, and the whole number that stands for 0; no step where all are 0. */
function rangeOf(values: Float32Array, begin: number, end: number, bits: 8 | 4) {
  let smallest = 0;
  let largest = 0;
  for (let index = begin; index < end; index++) {
    if (values[index] < smallest) smallest = values[index];
    if (values[index] > largest) largest = values[index];
  }
  // What is stored is fp32, so the division must use the same number.
  const scale = Math.fround((largest - smallest) / (2 ** bits - 1));
  return { scale, zero: scale > 0 ? Math.min(2 ** bits - 1, Math.round(-smallest / scale)) : 0 };
}
