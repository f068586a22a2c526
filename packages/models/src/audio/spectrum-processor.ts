import type { ManifestSpectrum, ManifestSpeech } from '../folder/speech-schema.js';
import type { Processor } from '../processors/processor.js';
import type { TextTokenizer } from '../tokenizer/text-tokenizer.js';
import { HOP, logMelSpectrum, SAMPLE_RATE } from './log-mel.js';
import { soundWindow } from './sound-window.js';
import {
  type AudioSource,
  isSpeechInput,
  readSpeechInput,
  type SpeechInput,
  type SpeechOutput,
  type SpeechSegment,
} from './speech-input.js';
import { promptOf } from './speech-prompt.js';
import { readWav } from './wav.js';

/** Seconds from one timestamp to the next. */
const TIMESTAMP_STEP = 0.02;

/** What a model that reads spectra of sound is told, and how. */
export interface ToldModel {
  readonly audio: ManifestSpectrum;
  readonly speech: ManifestSpeech;
  readonly startTokenId: number;
}

/** Windows of sound in, text out. */
export function spectrumProcessor(
  { audio, speech, startTokenId }: ToldModel,
  tokenizer: TextTokenizer,
): Processor<SpeechInput, SpeechOutput, AudioSource> {
  const firstTimestamp = speech.firstTimestampTokenId ?? Number.POSITIVE_INFINITY;
  const textOf = (tokenIds: ArrayLike<number>): string =>
    tokenizer.decode(Array.from(tokenIds).filter((tokenId) => tokenId < firstTimestamp));
  return {
    input: 'a Float32Array of samples, the bytes of a WAV file, or an object of one of them and what is to be done',
    isInput: isSpeechInput,
    read: async (input) => {
      const { sound, ...options } = readSpeechInput(input, SAMPLE_RATE);
      // What cannot be done is refused before the spectrum is computed.
      promptOf(startTokenId, speech, options);
      const samples = await soundWindow('wav' in sound ? readWav(sound.wav) : sound, SAMPLE_RATE, audio.frames * HOP);
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
