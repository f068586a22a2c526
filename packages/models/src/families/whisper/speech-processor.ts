import { ForetokenError } from '@foretoken/core';
import { Yielder } from '@foretoken/core/kit';
import { HOP, logMelSpectrum, SAMPLE_RATE } from '../../audio/log-mel.js';
import { resample } from '../../audio/resample.js';
import { readWav, type Sound } from '../../audio/wav.js';
import type { Processor } from '../../processors/processor.js';
import type { TextTokenizer } from '../../tokenizer/text-tokenizer.js';
import {
  type AudioSource,
  isSpeechInput,
  promptOf,
  readSpeechInput,
  type SpeechInput,
  type SpeechOutput,
  type SpeechSegment,
} from './speech-input.js';
import type { WhisperManifest } from './whisper-manifest.js';

/** Seconds from one timestamp to the next. */
const TIMESTAMP_STEP = 0.02;

/** Windows of sound in, text out. */
export function speechProcessor(
  manifest: WhisperManifest,
  tokenizer: TextTokenizer,
): Processor<SpeechInput, SpeechOutput, AudioSource> {
  const { audio, speech } = manifest;
  const firstTimestamp = speech.firstTimestampTokenId ?? manifest.vocabulary.size;
  const textOf = (tokenIds: ArrayLike<number>): string =>
    tokenizer.decode(Array.from(tokenIds).filter((tokenId) => tokenId < firstTimestamp));
  return {
    input: 'a Float32Array of samples, the bytes of a WAV file, or an object of one of them and what is to be done',
    isInput: isSpeechInput,
    read: async (input) => {
      const { sound, ...options } = readSpeechInput(input, SAMPLE_RATE);
      // What cannot be done is refused before the spectrum is computed.
      promptOf(manifest, options);
      const samples = await windowOf('wav' in sound ? readWav(sound.wav) : sound, audio.frames * HOP);
      const values = await logMelSpectrum(samples, audio.mels, audio.frames);
      return { source: { values, dims: [audio.mels, audio.frames], ...options } };
    },
    write: ({ tokenIds }, { timestamps = false }) => ({
      text: textOf(tokenIds),
      segments: timestamps ? segmentsOf(tokenIds, firstTimestamp, textOf) : undefined,
    }),
    textOf,
    readOutput: (text) => tokenizer.encode(text, 'output'),
  };
}

/** Samples at the model's rate. Throws `EMPTY_SOURCE`, `SOURCE_TOO_LONG`, `INVALID_ARGUMENT` for samples that are no numbers. */
async function windowOf({ samples, sampleRate }: Sound, max: number): Promise<Float32Array> {
  if (samples.length === 0) throw new ForetokenError('EMPTY_SOURCE', 'The sound has no samples.', {});
  const length = Math.round((samples.length * SAMPLE_RATE) / sampleRate);
  if (length > max) {
    const [received, allowed] = [samples.length / sampleRate, max / SAMPLE_RATE];
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
  return resample(samples, sampleRate, SAMPLE_RATE, new Yielder(undefined));
}

/** Pieces between timestamps. */
function segmentsOf(
  tokenIds: Int32Array,
  firstTimestamp: number,
  textOf: (tokenIds: ArrayLike<number>) => string,
): readonly SpeechSegment[] {
  const secondsOf = (tokenId: number): number => Math.round((tokenId - firstTimestamp) * TIMESTAMP_STEP * 100) / 100;
  const segments: SpeechSegment[] = [];
  let begin = 0;
  let words: number[] = [];
  for (const tokenId of tokenIds) {
    if (tokenId < firstTimestamp) {
      words.push(tokenId);
      continue;
    }
    const seconds = secondsOf(tokenId);
    if (words.length > 0) segments.push({ begin, end: seconds, text: textOf(words) });
    words = [];
    begin = seconds;
  }
  if (words.length > 0) segments.push({ begin, text: textOf(words) });
  return segments;
}
