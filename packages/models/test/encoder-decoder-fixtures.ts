import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ImportOptions, importModel } from '@foretoken/importers';
import { temporaryFolder } from './folder-fixtures.js';

const GOLDENS = fileURLToPath(new URL('goldens/encoder-decoder/', import.meta.url));

/** Kinds of encoder-decoders in `goldens/encoder-decoder`, random weights that apps/distill/make_encoder_decoder_goldens.py wrote. */
export const ENCODER_DECODER_KINDS = [
  'marian-separate',
  'marian-old',
  'marian-gelu',
  'marian-normed',
  'bart',
  'mbart',
  'mbart50',
  'm2m100',
  'nllb',
  'pegasus',
  't5',
  'mt5',
  'mt5-tied',
  't5-gated-silu',
] as const;

/** What transformers computes for one text. */
export interface EncoderDecoderGolden {
  readonly text: string;
  readonly sourceLanguage: string | null;
  readonly targetLanguage: string | null;
  readonly source: readonly number[];
  /** What the output begins with, the start token first. */
  readonly beginning: readonly number[];
  /** What the decoder read, and the logits after the last four tokens of it. */
  readonly prefix: readonly number[];
  readonly logits: readonly (readonly number[])[];
  readonly greedy: readonly number[];
  readonly said: string;
  /** The four best of a beam of four, and their scores. */
  readonly beam: readonly (readonly number[])[];
  readonly scores: readonly number[];
}

/** The weights folder of a kind. */
export const encoderDecoderWeights = (kind: string): string => join(GOLDENS, kind);

/** What transformers computes with one kind. */
export interface EncoderDecoderGoldens {
  /** Tokens that are never output. */
  readonly suppressed: readonly number[];
  readonly rows: readonly EncoderDecoderGolden[];
}

export async function encoderDecoderGoldens(kind: string): Promise<EncoderDecoderGoldens> {
  return JSON.parse(await readFile(join(GOLDENS, kind, 'expected.json'), 'utf8')) as EncoderDecoderGoldens;
}

/** A kind imported as a model folder. */
export async function encoderDecoderFolder(kind: string, options: ImportOptions = {}): Promise<string> {
  const folder = join(await temporaryFolder(), kind);
  await importModel(encoderDecoderWeights(kind), folder, { weights: 'float32', ...options });
  return folder;
}
