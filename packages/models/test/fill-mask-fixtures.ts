import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ImportOptions, importModel } from '@foretoken/importers';
import { temporaryFolder } from './folder-fixtures.js';

const GOLDENS = fileURLToPath(new URL('goldens/fill-mask/', import.meta.url));

/** Kinds of models in `goldens/fill-mask`, random weights that apps/distill/make_fill_mask_goldens.py wrote. */
export const FILL_MASK_KINDS = ['bert', 'bert-old', 'roberta', 'xlm-roberta', 'distilbert'] as const;

/** What transformers computes of one text. */
export interface FillMaskGolden {
  readonly text: string;
  readonly source: readonly number[];
  /** At each mask. */
  readonly logits: readonly (readonly number[])[];
  /** The five best tokens of each mask, and their probabilities. */
  readonly candidates: readonly (readonly number[])[];
  readonly probabilities: readonly (readonly number[])[];
  /** The best token of each mask as text. */
  readonly spelled: readonly string[];
  readonly atOnce: readonly number[];
  /** The text with these. */
  readonly filled: string;
  /** What is decided where the surest mask is filled first, and the others are looked at again. */
  readonly oneByOne: readonly number[];
}

export interface FillMaskGoldens {
  readonly mask: string;
  readonly maskTokenId: number;
  readonly rows: readonly FillMaskGolden[];
}

/** The weights folder of a kind. */
export const fillMaskWeights = (kind: string): string => join(GOLDENS, kind);

export async function fillMaskGoldens(kind: string): Promise<FillMaskGoldens> {
  return JSON.parse(await readFile(join(GOLDENS, kind, 'expected.json'), 'utf8')) as FillMaskGoldens;
}

/** A kind imported as a model folder. */
export async function fillMaskFolder(kind: string, options: ImportOptions = {}): Promise<string> {
  const folder = join(await temporaryFolder(), kind);
  await importModel(fillMaskWeights(kind), folder, { weights: 'float32', ...options });
  return folder;
}

/** A copy of the weights of a kind in which one JSON file is another. */
export async function alteredWeights(
  kind: string,
  file: string,
  alter: (content: Record<string, unknown>) => object,
): Promise<string> {
  const folder = join(await temporaryFolder(), 'weights');
  await cp(fillMaskWeights(kind), folder, { recursive: true });
  const path = join(folder, file);
  await writeFile(path, JSON.stringify(alter(JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>)));
  return folder;
}
