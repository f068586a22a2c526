import { ForetokenError } from '@foretoken/core';
import { normalised } from '../../audio/normalised.js';
import { plainSound } from '../../audio/plain-sound.js';
import { isSpeechInput, type SpeechInput } from '../../audio/speech-input.js';
import { type FloatSource, isFloatSource } from '../../drivers/float-source.js';
import type { Processor, TextOutput } from '../../processors/processor.js';
import type { TextTokenizer } from '../../tokenizer/text-tokenizer.js';
import type { CtcManifest } from './ctc-manifest.js';

/** A window of sound, for models that hear samples; or numbers with their dimensions, which are read as they are. */
export type CtcInput = SpeechInput | FloatSource;

/** What a CTC model makes of an output: its text, and how sure the model was. */
export interface CtcOutput extends TextOutput {
  /** Probability of each token at its best frame, where alignments are asked for. */
  readonly confidences?: readonly number[] | undefined;
}

/** Sound or numbers in, text out. */
export function ctcProcessor(
  { frames, sound }: CtcManifest,
  tokenizer: TextTokenizer,
): Processor<CtcInput, CtcOutput, FloatSource> {
  const hears = frames.dims.length === 1;
  const numbers = `{ values, dims } with the dimensions [${frames.dims.map((size) => size ?? 'time').join(', ')}]`;
  const textOf = (tokenIds: ArrayLike<number>): string => tokenizer.decode(tokenIds);
  return {
    input: sound === undefined ? `a Float32Array of samples, or ${numbers}` : `sound, or ${numbers}`,
    isInput: (value): value is CtcInput =>
      value instanceof Float32Array || isFloatSource(value) || (hears && isSpeechInput(value)),
    read: async (input) => {
      if (isFloatSource(input)) return { source: input };
      const samples = await heard(input, { frames, sound });
      return { source: { values: samples, dims: [samples.length] } };
    },
    write: ({ tokenIds, alignment }) => ({
      text: textOf(tokenIds),
      confidences: alignment && Array.from(alignment.logProbs, Math.exp),
    }),
    textOf,
  };
}

/** The samples that the graph is given. Throws `UNSUPPORTED_CAPABILITY` where nobody knows how many of them make a second. */
async function heard(
  input: SpeechInput,
  { frames, sound }: Pick<CtcManifest, 'frames' | 'sound'>,
): Promise<Float32Array> {
  if (sound !== undefined) {
    const samples = await plainSound(input, { sampleRate: sound.sampleRate, maxSamples: frames.maxLength });
    return sound.normalised ? normalised(samples) : samples;
  }
  if (input instanceof Float32Array) return input;
  throw new ForetokenError(
    'UNSUPPORTED_CAPABILITY',
    'This folder does not say how many samples a second its model hears, so it takes samples as a Float32Array alone. Import the graph with sampleRate (--sample-rate), or with its preprocessor_config.json beside it.',
    { capability: 'sound' },
  );
}
