import { plainSound } from '../../audio/plain-sound.js';
import { type AudioSource, isSpeechInput, type SpeechInput, type SpeechOutput } from '../../audio/speech-input.js';
import type { Processor } from '../../processors/processor.js';
import type { TextTokenizer } from '../../tokenizer/text-tokenizer.js';
import type { ManifestSamples } from './export-manifest.js';

/** Steps of a source's length in a second. */
const STEPS = 100;

/** Most samples that are read at once. */
export function maxSamplesOf({ sampleRate }: { readonly sampleRate: number }, sourceLength: number): number {
  return Math.floor((sourceLength * sampleRate) / STEPS);
}

/** Windows of sound in, text out. */
export function soundProcessor(
  audio: ManifestSamples,
  sourceLength: number,
  tokenizer: TextTokenizer,
): Processor<SpeechInput, SpeechOutput, AudioSource> {
  const textOf = (tokenIds: ArrayLike<number>): string => tokenizer.decode(tokenIds);
  return {
    input: 'a Float32Array of samples, the bytes of a WAV file, or an object with samples or wav',
    isInput: isSpeechInput,
    read: async (input) => {
      const { sampleRate } = audio;
      const values = await plainSound(input, { sampleRate, maxSamples: maxSamplesOf(audio, sourceLength) });
      return { source: { values, dims: [values.length] } };
    },
    write: ({ tokenIds }) => ({ text: textOf(tokenIds) }),
    textOf,
    readOutput: (text) => tokenizer.encode(text, 'output'),
  };
}
