import { ForetokenError } from '@foretoken/core';
import { soundWindow } from '../../audio/sound-window.js';
import {
  type AudioSource,
  isSpeechInput,
  readSpeechInput,
  type SpeechInput,
  type SpeechOptions,
  type SpeechOutput,
} from '../../audio/speech-input.js';
import { readWav } from '../../audio/wav.js';
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
      const { sound, ...options } = readSpeechInput(input, audio.sampleRate);
      assertPlain(options);
      const window = 'wav' in sound ? readWav(sound.wav) : sound;
      const values = await soundWindow(window, audio.sampleRate, maxSamplesOf(audio, sourceLength));
      return { source: { values, dims: [values.length] } };
    },
    write: ({ tokenIds }) => ({ text: textOf(tokenIds) }),
    textOf,
    readOutput: (text) => tokenizer.encode(text, 'output'),
  };
}

/** Throws `UNSUPPORTED_CAPABILITY` for what a model that only writes down what it hears cannot be told. */
function assertPlain({ language, task, timestamps }: SpeechOptions): void {
  const asked = Object.entries({
    language: language !== undefined,
    task: task === 'translate',
    timestamps: timestamps === true,
  }).find(([, wanted]) => wanted);
  if (asked === undefined) return;
  const [capability] = asked;
  throw new ForetokenError(
    'UNSUPPORTED_CAPABILITY',
    `This model only writes down what is said: it has no input for ${capability}. Leave ${capability} out, or use another model.`,
    { capability },
  );
}
