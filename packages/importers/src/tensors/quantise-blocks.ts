import type { Yielder } from '@foretoken/core/kit';
import type { DeferredDense } from './matrices.js';

/** Neighbours of a row that share a scale. */
export const BLOCK_SIZE = 32;

/** Rows that are quantised before other work may have its turn. */
const ROWS = 64;

/**
 * A matrix `[rows, columns]` in blocks of `BLOCK_SIZE` columns: `quantised [rows, blocks, bytes]`, two values a byte where they
 * have 4 bits, the first in the lower half; `scales [rows, blocks]`. A value is `(quantised - 2^(bits - 1)) * scale`; the last
 * block is filled up with zeros.
 */
export interface QuantisedBlocks {
  readonly dims: readonly [rows: number, blocks: number, bytes: number];
  readonly quantised: (pace: Yielder) => Promise<Uint8Array>;
  readonly scales: (pace: Yielder) => Promise<Float32Array>;
}

/** Quantises each block by its own largest value. The values are made once, and let go when both parts were taken. */
export function quantiseBlocks(matrix: DeferredDense, bits: 8 | 4): QuantisedBlocks {
  const [rows, columns] = matrix.dims as [number, number];
  const blocks = Math.ceil(columns / BLOCK_SIZE);
  let made: ReturnType<typeof quantise> | undefined;
  let taken = 0;
  const take = (pace: Yielder) => {
    made ??= quantise(matrix, bits, pace);
    const parts = made;
    if (++taken === 2) made = undefined;
    return parts;
  };
  return {
    dims: [rows, blocks, (BLOCK_SIZE * bits) / 8],
    quantised: async (pace) => (await take(pace)).quantised,
    scales: async (pace) => (await take(pace)).scales,
  };
}

async function quantise(matrix: DeferredDense, bits: 8 | 4, pace: Yielder) {
  const [rows, columns] = matrix.dims as [number, number];
  const blocks = Math.ceil(columns / BLOCK_SIZE);
  const values = await matrix.values(pace);
  const zero = 2 ** (bits - 1);
  const perByte = 8 / bits;
  const scales = new Float32Array(rows * blocks);
  // Of a byte with two values, both halves hold zero.
  const quantised = new Uint8Array((rows * blocks * BLOCK_SIZE) / perByte).fill(bits === 8 ? zero : zero * 17);
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const begin = row * columns + block * BLOCK_SIZE;
      const end = Math.min(begin + BLOCK_SIZE, (row + 1) * columns);
      const scale = scaleOf(values, begin, end, bits);
      if (scale === 0) continue;
      scales[row * blocks + block] = scale;
      const first = (row * blocks + block) * BLOCK_SIZE;
      for (let index = begin; index < end; index++) {
        const whole = Math.max(0, Math.min(2 * zero - 1, Math.round(values[index] / scale) + zero));
        const place = first + index - begin;
        if (bits === 8) quantised[place] = whole;
        else if (place % 2 === 0) quantised[place >> 1] = (quantised[place >> 1] & 0xf0) | whole;
        else quantised[place >> 1] = (quantised[place >> 1] & 0x0f) | (whole << 4);
      }
    }
    if (row % ROWS === 0 && pace.due()) await pace.yield();
  }
  return { quantised, scales };
}

/**
 * The scale that makes the value furthest from 0 a whole number at the border: 127 of 8 bits, -8 of 4 bits, where the sign of the
 * scale follows (as Q4_0 of GGUF does), since one step more is an eighth of the range. 0 where all values are 0.
 */
function scaleOf(values: Float32Array, begin: number, end: number, bits: 8 | 4): number {
  let furthest = 0;
  for (let index = begin; index < end; index++) {
    if (Math.abs(values[index]) > Math.abs(furthest)) furthest = values[index];
  }
  // What is stored is fp32, so the division below must use the same number.
  return Math.fround(bits === 8 ? Math.abs(furthest) / 127 : furthest / -8);
}
