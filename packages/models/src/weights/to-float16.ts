/** fp32 to IEEE 754 half-precision bits, rounded to nearest, ties to even; too large becomes infinity. */
export function float32ToFloat16Bits(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) halves[i] = halfOf(bits[i]);
  return halves;
}

function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) {
    // NaN: keep what fits of its payload, which must not become zero, for that would be infinity.
    return sign | 0x7c00 | ((magnitude >>> 13) & 0x3ff || 0x200);
  }
  // From 65,520, halfway beyond the largest half.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // From 2^-14 halves are normal: move the exponent's bias, then round away 13 bits of fraction.
  if (magnitude >= 0x38800000) return sign | roundShift(magnitude - 0x38000000, 13);
  // Below 2^-25 everything rounds to zero.
  if (magnitude < 0x33000000) return sign;
  const exponent = magnitude >>> 23;
  return sign | roundShift((magnitude & 0x7fffff) | 0x800000, 126 - exponent);
}

/** `value / 2^shift`, rounded to nearest, ties to even. A carry into the exponent is the right next number. */
function roundShift(value: number, shift: number): number {
  const quotient = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && quotient % 2 === 1) ? quotient + 1 : quotient;
}
