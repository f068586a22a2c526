import { ForetokenError } from '@foretoken/core';
import { cacheTensor } from '@foretoken/core/runtime';
import { type EncodeSpectrum, SpectrumEncoder } from '../../drivers/spectrum-encoder.js';
import { invalidFolder } from '../../folder/refusal.js';
import type { ManifestSpectrum } from '../../folder/speech-schema.js';
import { float32ToFloat16Bits } from '../../weights/to-float16.js';
import { givenStates, usedOutputs } from './encoder-states.js';
import type { GraphEncoderOptions, SourceStates, StatesEncoder } from './export-encoder.js';

export interface SpectrumStatesOptions extends GraphEncoderOptions {
  readonly audio: ManifestSpectrum;
}

/** An exported encoder of log-mel spectra of one size. */
export function spectrumStates(options: SpectrumStatesOptions): StatesEncoder {
  return new SpectrumEncoder(options.audio, forward(options));
}

function forward({
  runtime,
  session,
  roles,
  taken: wanted,
  audio,
}: SpectrumStatesOptions): EncodeSpectrum<SourceStates> {
  return async (values) => {
    const graph = await session();
    const taken = graph.inputType(roles.input) === 'float16' ? float32ToFloat16Bits(values) : values;
    const feeds = { [roles.input]: cacheTensor(runtime, taken, [1, audio.mels, audio.frames]) };
    const outputs = await graph.run(feeds, usedOutputs(roles, wanted));
    const { length, values: states, caches } = givenStates(outputs, roles, wanted, 1);
    return { length, values: states, caches: caches && { block: caches, lane: 0 } };
  };
}

/**
 * States of a made-up spectrum, by which decoders are tried. Throws `INVALID_MODEL_FOLDER` where the graph cannot read a spectrum of that
 * size, which it need not say of itself.
 */
export async function triedSpectrum(
  encoder: StatesEncoder,
  file: string,
  { mels, frames }: ManifestSpectrum,
  signal: AbortSignal | undefined,
): Promise<SourceStates> {
  const values = Float32Array.from({ length: mels * frames }, (_, at) => Math.sin(at / 5) * Math.cos(at / 37));
  try {
    return (await encoder.encode([{ values, dims: [mels, frames] }], signal)).sources[0];
  } catch (error) {
    if (!ForetokenError.isInstance(error) || error.code !== 'RUNTIME_FAILURE') throw error;
    throw invalidFolder(
      `${file} does not read a spectrum of ${mels} bands and ${frames} frames, as the config beside it says: ${error.message} Fetch config and graphs of one model.`,
      {
        file,
        field: 'max_source_positions',
        received: [mels, frames],
        required: 'the sizes that the graph was exported with',
      },
      error,
    );
  }
}
