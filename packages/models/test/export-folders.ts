import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Written by apps/distill/make_export_fixtures.py: what transformers gives for the models that were exported. */
export interface ExportRow {
  readonly source: readonly number[];
  /** Tokens that logits were asked after, `[time]`. */
  readonly fed: readonly number[];
  readonly logits: readonly (readonly number[])[];
  readonly greedy: readonly number[];
  readonly beam: readonly (readonly number[])[];
  readonly scores: readonly number[];
}

/** A fixture's folder, in a layout of Optimum or transformers.js. */
export const exportFolder = (kind: string): string =>
  fileURLToPath(new URL(`goldens/exports/${kind}`, import.meta.url));

export async function expectedRows(kind: string): Promise<readonly ExportRow[]> {
  return JSON.parse(await readFile(join(exportFolder(kind), 'expected.json'), 'utf8')) as ExportRow[];
}

/** A copy of a fixture that may be changed, without some of its files. */
export async function exportCopy(kind: string, ...without: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `foretoken-export-${kind}-`));
  await cp(exportFolder(kind), folder, { recursive: true });
  for (const file of without) await rm(join(folder, file));
  return folder;
}
