/** Weights of a band of the mel scale over a run of frequencies, `first` on. */
export interface MelFilter {
  readonly first: number;
  readonly weights: Float64Array;
}

// The scale of Slaney (1998, "Auditory Toolbox"): linear below 1,000 Hz, logarithmic above.
const LINEAR_STEP = 200 / 3;
const BREAK_HERTZ = 1000;
const BREAK_MEL = BREAK_HERTZ / LINEAR_STEP;
const LOG_STEP = Math.log(6.4) / 27;

function melOf(hertz: number): number {
  return hertz < BREAK_HERTZ ? hertz / LINEAR_STEP : BREAK_MEL + Math.log(hertz / BREAK_HERTZ) / LOG_STEP;
}

function hertzOf(mel: number): number {
  return mel < BREAK_MEL ? mel * LINEAR_STEP : BREAK_HERTZ * Math.exp(LOG_STEP * (mel - BREAK_MEL));
}

/**
 * Triangular filters, evenly spaced on the mel scale from 0 to half of the sample rate, each of area 1 in hertz, over the frequencies
 * of a transform of `size` samples.
 */
export function melFilters(bands: number, size: number, sampleRate: number): readonly MelFilter[] {
  const top = melOf(sampleRate / 2);
  const corners = Float64Array.from({ length: bands + 2 }, (_, index) => hertzOf((top * index) / (bands + 1)));
  return Array.from({ length: bands }, (_, band) => {
    const [low, middle, high] = corners.subarray(band, band + 3);
    const weights = Float64Array.from({ length: size / 2 + 1 }, (__, bin) => {
      const hertz = (bin * sampleRate) / size;
      const triangle = Math.min((hertz - low) / (middle - low), (high - hertz) / (high - middle));
      return (Math.max(0, triangle) * 2) / (high - low);
    });
    const first = weights.findIndex((weight) => weight > 0);
    const last = weights.findLastIndex((weight) => weight > 0);
    return first < 0 ? { first: 0, weights: new Float64Array() } : { first, weights: weights.slice(first, last + 1) };
  });
}
