import { Yielder } from '@foretoken/core/kit';
import { FourierTransform } from './fourier.js';
import { type MelFilter, melFilters } from './mel-filters.js';

/** Samples a second that speech models read. */
export const SAMPLE_RATE = 16_000;
/** Samples from one frame to the next: 10 ms. */
export const HOP = 160;
/** Samples that a frame is made of: 25 ms. */
export const SIZE = 400;
/** Nothing is quieter. */
const FLOOR = 1e-10;
/** Powers of ten that a window spans below its loudest. */
const RANGE = 8;

/**
 * The log-mel spectrum of a window of sound as speech models read it (Radford et al., 2022): `[mels, frames]`, frames 10 ms apart; what the
 * samples do not fill is silence. Computed in float64. `samples` hold at most `frames * HOP`.
 */
export async function logMelSpectrum(
  samples: Float32Array,
  mels: number,
  frames: number,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const fourier = new FourierTransform(SIZE);
  const filters = melFilters(mels, SIZE, SAMPLE_RATE);
  const window = Float64Array.from({ length: SIZE }, (_, at) => 0.5 - 0.5 * Math.cos((2 * Math.PI * at) / SIZE));
  const sampleAt = mirrored(samples, frames * HOP);
  const input = new Float64Array(2 * SIZE);
  const output = new Float64Array(2 * SIZE);
  const logs = new Float64Array(mels * frames);
  const yielder = new Yielder(signal);
  let loudest = Math.log10(FLOOR);
  // Two frames are transformed together: one as the real part, one as the imaginary.
  for (let frame = 0; frame < frames; frame += 2) {
    const begin = frame * HOP - SIZE / 2;
    for (let at = 0; at < SIZE; at++) {
      input[2 * at] = sampleAt(begin + at) * window[at];
      input[2 * at + 1] = frame + 1 < frames ? sampleAt(begin + HOP + at) * window[at] : 0;
    }
    fourier.transform(input, output);
    for (let side = 0; side < 2 && frame + side < frames; side++) {
      for (const [band, filter] of filters.entries()) {
        const value = Math.log10(Math.max(FLOOR, bandPower(output, filter, side)));
        logs[band * frames + frame + side] = value;
        loudest = Math.max(loudest, value);
      }
    }
    if (yielder.due()) await yielder.yield();
  }
  return Float32Array.from(logs, (value) => (Math.max(value, loudest - RANGE) + 4) / 4);
}

/** Power in a band of one of the two frames that were transformed together. */
function bandPower(spectrum: Float64Array, { first, weights }: MelFilter, side: number): number {
  let power = 0;
  for (const [index, weight] of weights.entries()) {
    const bin = first + index;
    const mirror = bin === 0 ? 0 : SIZE - bin;
    const sign = side === 0 ? 1 : -1;
    const even = spectrum[2 * bin + side] + spectrum[2 * mirror + side];
    const odd = spectrum[2 * bin + 1 - side] - spectrum[2 * mirror + 1 - side];
    power += weight * ((even / 2) ** 2 + ((sign * odd) / 2) ** 2);
  }
  return power;
}

/** A sample of a window, silence behind the samples; before its begin and behind its end it is mirrored. */
function mirrored(samples: Float32Array, length: number): (at: number) => number {
  return (at) => {
    const inside = at < 0 ? -at : at >= length ? 2 * (length - 1) - at : at;
    return inside < samples.length ? samples[inside] : 0;
  };
}
