import { copyFile, cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ImportOptions, importModel } from '@foretoken/importers';
import { temporaryFolder } from './folder-fixtures.js';

const GOLDENS = fileURLToPath(new URL('goldens/marian-bin/', import.meta.url));

/** Models in `goldens/marian-bin`, random weights that apps/distill/make_marian_bin_goldens.py wrote. */
export const MARIAN_BIN_KINDS = ['tied', 'int8', 'firefox', 'separate', 'two-tables'] as const;

/** What Marian gives for one text. */
export interface MarianBinGolden {
  readonly text: string;
  readonly source: readonly number[];
  readonly said: string;
  /** Of each token of the greedy output, the end token among them. */
  readonly logProbs: readonly number[];
  /** The four best of a beam of four; the score is the mean log-probability. */
  readonly beam: readonly { readonly said: string; readonly logProbs: readonly number[]; readonly score: number }[];
}

/** The folder of a kind. */
const marianBinWeights = (kind: string): string => join(GOLDENS, kind);

export async function marianBinGoldens(kind: string): Promise<readonly MarianBinGolden[]> {
  const content = await readFile(join(GOLDENS, kind, 'expected.json'), 'utf8');
  return (JSON.parse(content) as { readonly rows: readonly MarianBinGolden[] }).rows;
}

/** A kind imported as a model folder. */
export async function marianBinFolder(kind: string, options: ImportOptions = {}): Promise<string> {
  const folder = join(await temporaryFolder(), kind);
  await importModel(marianBinWeights(kind), folder, { weights: 'float32', ...options });
  return folder;
}

const SHORTLISTS = fileURLToPath(new URL('goldens/marian-shortlist/', import.meta.url));

/** Kinds that have a shortlist, which apps/distill/make_marian_shortlist_goldens.py wrote. */
export const MARIAN_SHORTLIST_KINDS = ['tied', 'separate'] as const;

/** What Marian gives for one text with a shortlist. */
export interface MarianShortlistGolden {
  readonly text: string;
  readonly source: readonly number[];
  readonly said: string;
  /** Of each token of the greedy output, the end token among them. */
  readonly logProbs: readonly number[];
  /** Whether Marian says something else without the shortlist. */
  readonly other: boolean;
}

export async function marianShortlistGoldens(kind: string): Promise<readonly MarianShortlistGolden[]> {
  const content = await readFile(join(SHORTLISTS, kind, 'expected.json'), 'utf8');
  return (JSON.parse(content) as { readonly rows: readonly MarianShortlistGolden[] }).rows;
}

export const SHORTLIST_FILE = 'lex.4.6.aaen.s2t.bin';

/** A folder with the weights of a kind and their shortlist. */
export async function marianShortlistWeights(kind: string): Promise<string> {
  const weights = join(await temporaryFolder(), 'weights');
  await cp(marianBinWeights(kind), weights, { recursive: true });
  await copyFile(join(SHORTLISTS, kind, SHORTLIST_FILE), join(weights, SHORTLIST_FILE));
  return weights;
}

/** A kind with its shortlist imported as a model folder. */
export async function marianShortlistFolder(kind: string, options: ImportOptions = {}): Promise<string> {
  const folder = join(await temporaryFolder(), kind);
  await importModel(await marianShortlistWeights(kind), folder, { weights: 'float32', ...options });
  return folder;
}
