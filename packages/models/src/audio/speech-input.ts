import { anything, checkOptions, flag, number, type OptionTable, oneOf, text, wrongValue } from '@foretoken/core/kit';
import type { TextOutput } from '../processors/processor.js';

/** What is to be done with the sound. */
export interface SpeechOptions {
  /** Code of the language that is spoken, such as `en`; default: found by the model. */
  readonly language?: string | undefined;
  /** Write down what is said (default), or translate it to English. */
  readonly task?: 'transcribe' | 'translate' | undefined;
  /** Write when each piece of speech begins and ends, too; default false. Use it with `timestampRules`. */
  readonly timestamps?: boolean | undefined;
}

/** A window of sound, and what is to be done with it: `samples` or `wav`, one of them. */
export interface SpeechRecording extends SpeechOptions {
  readonly samples?: Float32Array | undefined;
  /** Of `samples`; default 16,000 a second. */
  readonly sampleRate?: number | undefined;
  /** The bytes of a WAV file. */
  readonly wav?: Uint8Array | undefined;
}

/**
 * A window of sound: samples from -1 to 1 of one channel at 16,000 a second; the bytes of a WAV
 * file; or an object of one of them and what is to be done.
 */
export type SpeechInput = Float32Array | Uint8Array | SpeechRecording;

/** A piece of speech, in seconds from the beginning of the window. */
export interface SpeechSegment {
  /** Seconds. */
  readonly begin: number;
  /** Absent where the model did not say. */
  readonly end?: number | undefined;
  readonly text: string;
}

/** What a model writes of a window. */
export interface SpeechOutput extends TextOutput {
  /** Where timestamps were asked for. */
  readonly segments?: readonly SpeechSegment[] | undefined;
}

/** What a speech model reads: the log-mel spectrum of a window, `[mels, frames]`, or its samples, `[samples]`; and what is to be done. */
export interface AudioSource extends SpeechOptions {
  /** Row-major. */
  readonly values: Float32Array;
  /** The shape of `values`. */
  readonly dims: readonly number[];
}

const isOptions = (value: unknown): value is object => typeof value === 'object' && value !== null;

export function isSpeechInput(value: unknown): value is SpeechInput {
  if (value instanceof Float32Array || value instanceof Uint8Array) return true;
  return isOptions(value) && ('samples' in value || 'wav' in value);
}

const OPTIONS: OptionTable<SpeechRecording> = {
  samples: anything,
  wav: anything,
  sampleRate: number(1, 1_000_000),
  language: text,
  task: oneOf('transcribe', 'translate'),
  timestamps: flag,
};

/** An input taken apart. */
export interface ReadSpeechInput extends SpeechOptions {
  readonly sound: { readonly samples: Float32Array; readonly sampleRate: number } | { readonly wav: Uint8Array };
}

/** Throws `INVALID_ARGUMENT` for fields that are unknown or of a wrong type. */
export function readSpeechInput(input: SpeechInput, sampleRate: number): ReadSpeechInput {
  if (input instanceof Float32Array) return { sound: { samples: input, sampleRate } };
  if (input instanceof Uint8Array) return { sound: { wav: input } };
  const { samples, wav, sampleRate: rate, ...said } = checkOptions('a window of sound', input, OPTIONS);
  if (wav !== undefined && samples !== undefined) throw wrongValue('samples', samples, 'left out where wav is given');
  if (wav !== undefined) {
    if (!(wav instanceof Uint8Array)) throw wrongValue('wav', wav, 'the bytes of a WAV file');
    if (rate !== undefined) throw wrongValue('sampleRate', rate, 'left out: a WAV file says its rate');
    return { sound: { wav }, ...said };
  }
  if (!(samples instanceof Float32Array)) throw wrongValue('samples', samples, 'a Float32Array');
  return { sound: { samples, sampleRate: rate ?? sampleRate }, ...said };
}
