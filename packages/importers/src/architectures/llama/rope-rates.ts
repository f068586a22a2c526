import type { RotaryRates } from '../../blocks/rotary.js';
import { type ConfigFolder, unsupportedConfig } from '../../readers/hugging-face/config-fields.js';
import { configNumber, numberOf, objectOf } from '../../readers/hugging-face/config-values.js';

/** Ways to stretch rotary positions that change nothing up to the length that the model was trained with. */
const SUPPORTED = ['default', 'linear', 'llama3'] as const;

/**
 * How fast each pair of a head's numbers turns: `theta ** (-2 i / headWidth)`, slowed down as the config says. transformers 5
 * says it in `rope_parameters`, earlier releases in `rope_theta` and `rope_scaling`. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`.
 */
export function readRotary(folder: ConfigFolder, headWidth: number, positions: number): RotaryRates {
  const parameters = objectOf(folder, 'rope_parameters');
  const scaling = parameters ?? objectOf(folder, 'rope_scaling') ?? {};
  const field = parameters === undefined ? 'rope_scaling' : 'rope_parameters';
  const theta =
    parameters?.rope_theta === undefined
      ? configNumber(folder, 'rope_theta', 10_000, 1, 1e12)
      : numberOf(folder, `${field}.rope_theta`, parameters.rope_theta, 1, 1e12);
  const type = scaling.rope_type ?? scaling.type ?? 'default';
  const turned = scaling.partial_rotary_factor ?? folder.config.partial_rotary_factor ?? 1;
  if (turned !== 1) unsupportedConfig(folder, 'partial_rotary_factor', '1', turned);
  const rates = Float32Array.from({ length: headWidth / 2 }, (_, pair) => {
    // In fp32 throughout, as the models were trained with.
    return 1 / Math.fround(theta ** Math.fround((2 * pair) / headWidth));
  });
  const setting = (name: string, min: number, max: number): number =>
    numberOf(folder, `${field}.${name}`, scaling[name], min, max);
  switch (type) {
    case 'default':
      return { rates, positions };
    case 'linear': {
      const factor = setting('factor', 1, 1e6);
      return { rates: rates.map((rate) => rate / factor), positions };
    }
    case 'factors':
      return { rates: slowedPairs(folder, rates, scaling.factors), positions };
    case 'llama3':
      return { rates: slowedBands(rates, setting), positions };
    default:
      return unsupportedConfig(folder, `${field}.rope_type`, `one of ${SUPPORTED.join(', ')}`, type);
  }
}

/** Llama 3.1: slow turns are slowed down further, fast ones stay, and those in between are slowed down in part. */
function slowedBands(rates: Float32Array, setting: (name: string, min: number, max: number) => number): Float32Array {
  const factor = setting('factor', 1, 1e6);
  const low = setting('low_freq_factor', 1e-6, 1e6);
  const high = setting('high_freq_factor', low, 1e6);
  const trained = setting('original_max_position_embeddings', 1, 1e9);
  return rates.map((rate) => {
    const wavelength = (2 * Math.PI) / rate;
    if (wavelength > trained / low) return rate / factor;
    if (wavelength < trained / high || high === low) return rate;
    const share = (trained / wavelength - low) / (high - low);
    return ((1 - share) * rate) / factor + share * rate;
  });
}

/** Llama 3.1 as GGUF files say it: how much slower each pair turns. */
function slowedPairs(folder: ConfigFolder, rates: Float32Array, factors: unknown): Float32Array {
  const fits = Array.isArray(factors) && factors.length === rates.length && factors.every((factor) => factor >= 1e-6);
  return fits
    ? rates.map((rate, pair) => rate / factors[pair])
    : unsupportedConfig(folder, 'rope_scaling.factors', `${rates.length} positive numbers`, factors);
}
