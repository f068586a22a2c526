import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AudioSource } from '../src/speech.js';
import { exportFolder } from './export-folders.js';

/** Written by make_whisper_export_fixtures.py and make_genai_whisper_fixture.py of apps/distill: what transformers gives for the model that was exported. */
export interface SpectrumRow {
  /** The two periods that the spectrum is made of. */
  readonly periods: readonly [first: number, second: number];
  readonly language: string | null;
  /** The language that the model finds. */
  readonly heard: string;
  readonly task: 'transcribe' | 'translate';
  readonly fed: readonly number[];
  /** Tokens of `fed` before the output. */
  readonly begin: number;
  /** After each token of `fed`, those of every seventh token. */
  readonly logits: readonly (readonly number[])[];
  readonly greedy: readonly number[];
  readonly timestamps: readonly number[];
  readonly beam: readonly (readonly number[])[];
  readonly scores: readonly number[];
}

export interface SpectrumGoldens {
  readonly frames: number;
  readonly mels: number;
  readonly newTokens: number;
  readonly suppressed: readonly number[];
  readonly first: readonly number[];
  readonly rows: readonly SpectrumRow[];
  /** Sounds, in French where there are languages. */
  readonly sounds: readonly {
    readonly sound: readonly [length: number, first: number, second: number];
    readonly greedy: readonly number[];
    readonly text: string;
  }[];
}

export async function spectrumGoldens(kind: string): Promise<SpectrumGoldens> {
  return JSON.parse(await readFile(join(exportFolder(kind), 'expected.json'), 'utf8')) as SpectrumGoldens;
}

/** The spectrum of a row, and what is to be done with it. */
export function spectrumSource(
  { mels, frames }: Pick<SpectrumGoldens, 'mels' | 'frames'>,
  { periods: [first, second], language, task }: Pick<SpectrumRow, 'periods' | 'language' | 'task'>,
): AudioSource {
  const values = Float32Array.from({ length: mels * frames }, (_, at) => Math.sin(at / first) * Math.cos(at / second));
  return { values, dims: [mels, frames], language: language ?? undefined, task };
}

export function soundOf(length: number, first: number, second: number): Float32Array {
  return Float32Array.from({ length }, (_, at) => 0.3 * Math.sin(at / first) * Math.cos(at / second));
}
