import type { Yielder } from '@foretoken/core/kit';

/** Values that are made before other work may have its turn. */
const PIECE = 2 ** 18;

/** Quiet noise, the same for the same seed. */
export async function quietNoise(length: number, seed: number, pace: Yielder): Promise<Float32Array> {
  const values = new Float32Array(length);
  let state = seed >>> 0;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[at] = 0.2 * (state / 2 ** 31 - 1);
    if (at % PIECE === 0 && pace.due()) await pace.yield();
  }
  return values;
}
