import { ForetokenError } from '@foretoken/core';
import { soundWindow } from './sound-window.js';
import { readSpeechInput, type SpeechInput, type SpeechOptions } from './speech-input.js';
import { readWav } from './wav.js';

/** What a model hears that is told nothing but sound. */
export interface HeardSamples {
  /** Samples a second. */
  readonly sampleRate: number;
  /** Most samples at once. */
  readonly maxSamples: number;
}

/**
 * Samples of an input for a model that only writes down what it hears. Throws `UNSUPPORTED_CAPABILITY` for what such a model cannot be
 * told, and as `soundWindow` does.
 */
export async function plainSound(input: SpeechInput, heard: HeardSamples): Promise<Float32Array> {
  const { sound, ...options } = readSpeechInput(input, heard.sampleRate);
  assertPlain(options);
  return soundWindow('wav' in sound ? readWav(sound.wav) : sound, heard.sampleRate, heard.maxSamples);
}

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
