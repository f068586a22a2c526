import { ForetokenError } from '@foretoken/core';
import { Yielder } from '@foretoken/core/kit';
import { resample } from './resample.js';
import type { Sound } from './wav.js';

/**
 * Samples of a window of sound at `rate` a second, of which a model reads at most `max`. Throws `EMPTY_SOURCE`, `SOURCE_TOO_LONG`,
 * `INVALID_ARGUMENT` for samples that are no numbers.
 */
export async function soundWindow({ samples, sampleRate }: Sound, rate: number, max: number): Promise<Float32Array> {
  if (samples.length === 0) throw new ForetokenError('EMPTY_SOURCE', 'The sound has no samples.', {});
  const length = Math.round((samples.length * rate) / sampleRate);
  if (length > max) {
    const [received, allowed] = [samples.length / sampleRate, max / rate];
    throw new ForetokenError(
      'SOURCE_TOO_LONG',
      `The sound is ${received.toFixed(2)} s long, but this model reads at most ${allowed} s at once. Cut it with cutSound, and decode the list of its parts.`,
      { received, max: allowed },
    );
  }
  const strange = samples.findIndex((sample) => !Number.isFinite(sample));
  if (strange >= 0) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `Sample ${strange} of the sound is ${samples[strange]}; finite numbers are required.`,
      { option: 'samples', index: strange, received: samples[strange] },
    );
  }
  return resample(samples, sampleRate, rate, new Yielder(undefined));
}
