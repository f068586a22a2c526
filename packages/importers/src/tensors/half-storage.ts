import type { Yielder } from '@foretoken/core/kit';
import { float32ToFloat16Bits } from '@foretoken/models/internal';

const CHUNK = 2 ** 18;
/** Bits of 65,520, from which fp16 is infinite. */
const TOO_LARGE = 0x477f_f000;
/** Bits of 2^-17: what is smaller loses more than 1/256 of its value in fp16. */
const WEAK = (127 - 17) << 23;
/** Bits of 2^-40: a column of such weights says nothing, however large a weight may multiply it. */
const DEAD = (127 - 40) << 23;

/**
 * fp32 values as fp16, rounded to nearest; undefined where fp16 cannot hold them: a value overflows, or all weights of
 * a column (of the last dimension; a vector is one column) are so small that little or nothing of them would be left.
 */
export async function toHalf(
  values: Float32Array,
  dims: readonly number[],
  pace: Yielder,
): Promise<Uint16Array | undefined> {
  const columns = dims.length > 1 ? dims[dims.length - 1] : 1;
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const largest = new Uint32Array(columns);
  const halves = new Uint16Array(values.length);
  for (let begin = 0, column = 0; begin < bits.length; begin += CHUNK) {
    const end = Math.min(bits.length, begin + CHUNK);
    for (let index = begin; index < end; index++) {
      const magnitude = bits[index] & 0x7fff_ffff;
      if (magnitude > largest[column]) largest[column] = magnitude;
      if (++column === columns) column = 0;
    }
    halves.set(float32ToFloat16Bits(values.subarray(begin, end)), begin);
    if (pace.due()) await pace.yield();
  }
  const weak: number[] = [];
  for (const [column, max] of largest.entries()) {
    if (max >= TOO_LARGE) return undefined;
    if (max >= DEAD && max < WEAK) weak.push(column);
  }
  for (const column of weak) {
    for (let index = column; index < values.length; index += columns) {
      // In this range halves are the multiples of 2^-24.
      if (!Number.isInteger(values[index] * 2 ** 24)) return undefined;
    }
    if (pace.due()) await pace.yield();
  }
  return halves;
}

/** Index of the first value that is NaN or infinite; -1 without one. */
export async function findNonFinite(values: Float32Array, pace: Yielder): Promise<number> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let begin = 0; begin < bits.length; begin += CHUNK) {
    const end = Math.min(bits.length, begin + CHUNK);
    for (let index = begin; index < end; index++) {
      if ((bits[index] & 0x7f80_0000) === 0x7f80_0000) return index;
    }
    if (pace.due()) await pace.yield();
  }
  return -1;
}
