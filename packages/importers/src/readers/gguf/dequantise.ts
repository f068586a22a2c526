import type { Yielder } from '@foretoken/core/kit';
import { float16BitsToFloat32 } from '@foretoken/models/internal';
import type { ElementBlocks } from './gguf-types.js';

/** Writes the values of one block, which begins at `at`, from place `to` on. */
type ReadBlock = (bytes: Uint8Array, at: number, values: Float32Array, to: number) => void;

// The layouts are those of ggml-quants.c (ggml, MIT); values are rounded to fp32 after each operation, as there.
const BLOCKS: Readonly<Record<string, ReadBlock>> = {
  Q8_0: (bytes, at, values, to) => {
    const scale = half(bytes, at);
    for (let index = 0; index < 32; index++) values[to + index] = ((bytes[at + 2 + index] << 24) >> 24) * scale;
  },
  Q4_0: (bytes, at, values, to) => {
    const scale = half(bytes, at);
    for (let index = 0; index < 16; index++) {
      const pair = bytes[at + 2 + index];
      values[to + index] = ((pair & 15) - 8) * scale;
      values[to + 16 + index] = ((pair >> 4) - 8) * scale;
    }
  },
  Q4_1: (bytes, at, values, to) => {
    const scale = half(bytes, at);
    const min = half(bytes, at + 2);
    for (let index = 0; index < 16; index++) {
      const pair = bytes[at + 4 + index];
      values[to + index] = Math.fround((pair & 15) * scale) + min;
      values[to + 16 + index] = Math.fround((pair >> 4) * scale) + min;
    }
  },
  Q4_K: (bytes, at, values, to) => {
    const scale = half(bytes, at);
    const min = half(bytes, at + 2);
    for (let part = 0; part < 8; part++) {
      const [steps, mins] = sixBits(bytes, at + 4, part);
      const factor = Math.fround(scale * steps);
      const offset = Math.fround(min * mins);
      const from = at + 16 + 32 * (part >> 1);
      const shift = 4 * (part & 1);
      for (let index = 0; index < 32; index++) {
        const value = (bytes[from + index] >> shift) & 15;
        values[to + 32 * part + index] = Math.fround(factor * value) - offset;
      }
    }
  },
  Q6_K: (bytes, at, values, to) => {
    const scale = half(bytes, at + 208);
    for (let part = 0; part < 16; part++) {
      const factor = Math.fround(((bytes[at + 192 + part] << 24) >> 24) * scale);
      for (let index = 0; index < 16; index++) {
        const place = 16 * part + index;
        // 128 values share 64 low bytes and 32 high ones.
        const half128 = place >> 7;
        const within = place & 127;
        const low = bytes[at + 64 * half128 + (within & 63)] >> (within < 64 ? 0 : 4);
        const high = bytes[at + 128 + 32 * half128 + (within & 31)] >> (2 * (within >> 5));
        values[to + place] = (((low & 15) | ((high & 3) << 4)) - 32) * factor;
      }
    }
  },
};

/** Bytes that are worked on before other work may have its turn. */
const PIECE = 2 ** 20;

/** The values of quantised elements as fp32. */
export async function dequantise(
  bytes: Uint8Array,
  { name, elements, bytes: size }: ElementBlocks,
  pace: Yielder,
): Promise<Float32Array> {
  const read = BLOCKS[name];
  const values = new Float32Array((bytes.length / size) * elements);
  let next = PIECE;
  for (let at = 0, to = 0; at < bytes.length; at += size, to += elements) {
    read(bytes, at, values, to);
    if (at < next) continue;
    next += PIECE;
    if (pace.due()) await pace.yield();
  }
  return values;
}

const HALVES: Float32Array = float16BitsToFloat32(Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits));

function half(bytes: Uint8Array, at: number): number {
  return HALVES[bytes[at] | (bytes[at + 1] << 8)];
}

/** The six bits of a part's scale and of its minimum, of eight each in twelve bytes. */
function sixBits(bytes: Uint8Array, at: number, part: number): readonly [scale: number, min: number] {
  if (part < 4) return [bytes[at + part] & 63, bytes[at + 4 + part] & 63];
  const low = bytes[at + 4 + part];
  return [(low & 15) | ((bytes[at + part - 4] >> 2) & 48), (low >> 4) | ((bytes[at + part] >> 2) & 48)];
}
