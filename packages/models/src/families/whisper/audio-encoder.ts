import type { GraphSession, OnnxRuntime } from '@foretoken/core/runtime';
import { SpectrumEncoder } from '../../drivers/spectrum-encoder.js';
import type { ManifestSpectrum } from '../../folder/speech-schema.js';

/** What a step reads of one source, by layer: keys at even and values at odd places. */
export type CrossParts = readonly Float32Array[];

/** The encoder of a Whisper model. */
export type AudioEncoder = SpectrumEncoder<CrossParts>;

export interface AudioEncoderOptions {
  readonly runtime: OnnxRuntime;
  /** Gives the graph, opening it on first use. */
  readonly session: () => Promise<GraphSession>;
  readonly audio: ManifestSpectrum;
  readonly layers: number;
}

export function audioEncoder({ runtime, session, audio, layers }: AudioEncoderOptions): AudioEncoder {
  return new SpectrumEncoder(audio, async (values) => {
    const graph = await session();
    const features = new runtime.Tensor('float32', values, [1, audio.mels, audio.frames]);
    const outputs = await graph.run({ features });
    return Array.from({ length: 2 * layers }, (_, part) => outputs[`cross_${part}`].data as Float32Array);
  });
}
