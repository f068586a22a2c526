import * as v from 'valibot';
import type { Refuse } from './manifest-agreement.js';
import { integer, optional, tokenId } from './manifest-schema.js';

/** Log-mel spectrum of a window of sound: bands, and frames of 10 ms. */
export interface ManifestSpectrum {
  readonly mels: number;
  readonly frames: number;
}

/** Tokens that tell a speech model what is to be done; languages and tasks are absent where it knows one of each. */
export interface ManifestSpeech {
  readonly noTimestampsTokenId: number;
  /** That of 0 s; the following ones are 20 ms apart. Absent where the vocabulary has none. */
  readonly firstTimestampTokenId?: number | undefined;
  readonly transcribeTokenId?: number | undefined;
  readonly translateTokenId?: number | undefined;
  /** By code, such as `en`. */
  readonly languages?: Readonly<Record<string, number>> | undefined;
}

const language: v.GenericSchema<string> = v.pipe(v.string(), v.regex(/^[a-z]{2,3}$/, 'the code of a language'));

export const spectrum: v.GenericSchema<unknown, ManifestSpectrum> = v.strictObject({
  mels: integer(1, 1024),
  frames: integer(2, 65_536),
});

export const speech: v.GenericSchema<unknown, ManifestSpeech> = v.strictObject({
  noTimestampsTokenId: tokenId,
  firstTimestampTokenId: optional(tokenId),
  transcribeTokenId: optional(tokenId),
  translateTokenId: optional(tokenId),
  languages: v.exactOptional(v.record(language, tokenId)),
});

/** The tokens by their place in the manifest. */
export function speechTokenIds({ languages = {}, ...tokens }: ManifestSpeech): Readonly<Record<string, number>> {
  const named = [
    ...Object.entries(tokens).map(([name, tokenId]) => [`speech.${name}`, tokenId] as const),
    ...Object.entries(languages).map(([code, tokenId]) => [`speech.languages.${code}`, tokenId] as const),
  ];
  return Object.fromEntries(named.flatMap(([name, id]) => (id === undefined ? [] : [[name, id]])));
}

/** Refuses a spectrum and tokens that contradict one another or the most that is read. */
export function checkSpeech(
  audio: ManifestSpectrum,
  { languages, transcribeTokenId }: ManifestSpeech,
  sourceLength: number,
  refuse: Refuse,
): void {
  if (audio.frames % 2 !== 0) refuse('audio.frames', audio.frames, 'a multiple of 2');
  if (sourceLength !== audio.frames) {
    refuse('limits.sourceLength', sourceLength, `that of audio.frames, ${audio.frames}`);
  }
  if (languages === undefined) return;
  if (Object.keys(languages).length === 0) refuse('speech.languages', {}, 'at least one language, or left out');
  if (transcribeTokenId === undefined) {
    refuse('speech.transcribeTokenId', 'missing', 'given together with speech.languages');
  }
}

/** What people are told of the sound that a model reads, and of what it can be told. */
export function speechFacts(
  { mels, frames }: ManifestSpectrum,
  { languages, firstTimestampTokenId }: ManifestSpeech,
): readonly (readonly [string, string])[] {
  return [
    ['reads', `sound, ${frames / 100} s at once, ${mels} bands`],
    ['languages', languages === undefined ? 'English' : String(Object.keys(languages).length)],
    ['timestamps', firstTimestampTokenId === undefined ? 'no' : 'yes'],
  ];
}
