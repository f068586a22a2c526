import type { Yielder } from '@foretoken/core/kit';

/** Zero crossings of the sinc on each side. */
const CROSSINGS = 32;
/** Share of what both rates can hold that passes. */
const PASS = 0.95;
/** Shape of Kaiser's window: side lobes some 80 dB down. */
const KAISER = 8;

/**
 * Samples at another rate, by a windowed sinc that cuts what the lower of both rates cannot hold (Smith, "Digital Audio Resampling"),
 * in float64. The same samples where the rates are equal.
 */
export async function resample(
  samples: Float32Array,
  from: number,
  to: number,
  yielder: Yielder,
): Promise<Float32Array> {
  if (from === to) return samples;
  const cut = PASS * Math.min(1, to / from);
  const reach = CROSSINGS / cut;
  const result = new Float32Array(Math.round((samples.length * to) / from));
  const top = besselI0(KAISER);
  // Rates mostly have a common divisor, so the same weights come again and again.
  const weights = new Map<number, Float64Array>();
  for (let index = 0; index < result.length; index++) {
    const center = (index * from) / to;
    const first = Math.ceil(center - reach);
    const phase = Math.round((center - Math.floor(center)) * 2 ** 24);
    let own = weights.get(phase);
    if (own === undefined) {
      const count = Math.floor(center + reach) - first + 1;
      own = Float64Array.from({ length: count }, (_, at) => sinc(first + at - center, cut, reach, top));
      // Rates without a common divisor have a phase for each sample.
      if (weights.size < 4096) weights.set(phase, own);
    }
    let sum = 0;
    for (let at = 0; at < own.length; at++) {
      const place = first + at;
      if (place >= 0 && place < samples.length) sum += own[at] * samples[place];
    }
    result[index] = sum;
    if (index % 1024 === 0 && yielder.due()) await yielder.yield();
  }
  return result;
}

function sinc(distance: number, cut: number, reach: number, top: number): number {
  const angle = Math.PI * distance * cut;
  const window = besselI0(KAISER * Math.sqrt(Math.max(0, 1 - (distance / reach) ** 2))) / top;
  return cut * window * (angle === 0 ? 1 : Math.sin(angle) / angle);
}

/** The modified Bessel function of order 0. */
function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let index = 1; term > 1e-12 * sum; index++) {
    term *= (x / (2 * index)) ** 2;
    sum += term;
  }
  return sum;
}
