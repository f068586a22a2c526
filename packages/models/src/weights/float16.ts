/** IEEE 754 half-precision bits to fp32; exact, NaN payloads included. */
export function float16BitsToFloat32(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  const values = new Float32Array(bits.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i];
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) {
      // Subnormal: a multiple of 2^-24, which fp32 holds exactly.
      values[i] = fraction * 2 ** -24;
      bits[i] = bits[i] | sign;
    } else if (exponent === 31) bits[i] = sign | 0x7f800000 | (fraction << 13);
    else bits[i] = sign | ((exponent + 112) << 23) | (fraction << 13);
  }
  return values;
}

/** bfloat16 bits, the upper half of an fp32, to fp32; exact. */
export function bfloat16BitsToFloat32(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16;
  return new Float32Array(bits.buffer);
}
