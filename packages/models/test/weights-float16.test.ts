import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bfloat16BitsToFloat32, float16BitsToFloat32 } from '../src/weights/float16.js';
import { float32ToFloat16Bits } from '../src/weights/to-float16.js';

const ALL = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);

/** The value of half-precision bits by the definition in IEEE 754, in doubles. */
function halfValue(bits: number): number {
  const sign = bits >= 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** All finite non-negative halves, ascending: bits are values in order. */
const FINITE = Array.from({ length: 0x7c00 }, (_, bits) => halfValue(bits));

/** The nearest half by search; among equally near ones the even one. */
function nearest(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65_520) return sign | 0x7c00;
  let [low, high] = [0, FINITE.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (FINITE[middle] <= size) low = middle;
    else high = middle;
  }
  if (size >= FINITE[high]) return sign | high;
  const below = size - FINITE[low];
  const above = FINITE[high] - size;
  return sign | (below < above || (below === above && low % 2 === 0) ? low : high);
}

describe('half precision', () => {
  test('every one of the 65,536 patterns has its IEEE 754 value', () => {
    const values = float16BitsToFloat32(ALL);
    for (const bits of ALL) if (!Object.is(values[bits], halfValue(bits))) expect([bits, values[bits]]).toEqual([]);
  });

  test('every one of the 65,536 patterns survives the way to fp32 and back, NaN payloads included', () => {
    expect(float32ToFloat16Bits(float16BitsToFloat32(ALL))).toEqual(ALL);
  });

  test('any fp32 becomes the nearest half, ties to even', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (pattern) => {
        const value = new Float32Array(Uint32Array.of(pattern).buffer);
        const [half] = float32ToFloat16Bits(value) as unknown as [number];
        if (Number.isNaN(value[0])) expect(halfValue(half)).toBeNaN();
        else expect(half).toBe(nearest(value[0]));
      }),
      { numRuns: 5000 },
    );
  });

  test('halfway points between all neighbours, and one fp32 either side of them', () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const middle = (FINITE[bits] + FINITE[bits + 1]) / 2;
      const around = new Float32Array([middle, middle, middle]);
      const patterns = new Uint32Array(around.buffer);
      patterns[0] = patterns[0] - 1;
      patterns[2] = patterns[2] + 1;
      const expected = [bits, bits % 2 === 0 ? bits : bits + 1, bits + 1];
      const received = [...float32ToFloat16Bits(around)];
      if (received.join() !== expected.join()) expect([bits, received]).toEqual([bits, expected]);
    }
    expect([
      ...float32ToFloat16Bits(Float32Array.of(65_519.996, 65_520, -65_520, 1e38, 2 ** -25, -(2 ** -26))),
    ]).toEqual([0x7bff, 0x7c00, 0xfc00, 0x7c00, 0, 0x8000]);
  });

  test('a view into the middle of a buffer is read where it lies', () => {
    expect([...float32ToFloat16Bits(Float32Array.of(9, 1, -2).subarray(1))]).toEqual([0x3c00, 0xc000]);
  });
});

test('bfloat16 is the upper half of an fp32, for all 65,536 patterns', () => {
  const patterns = new Uint32Array(bfloat16BitsToFloat32(ALL).buffer);
  for (const bits of ALL) if (patterns[bits] !== bits * 65_536) expect([bits, patterns[bits]]).toEqual([]);
});
