import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InferenceSession } from 'onnxruntime-node';

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

/** A copy of a fixture, its graphs in ONNX Runtime's own format as that makes them: optimised, with their weights inside. */
export async function ortCopy(kind: string): Promise<string> {
  const folder = await exportCopy(kind);
  const files = await readdir(folder, { recursive: true });
  for (const file of files.filter((name) => name.endsWith('.onnx'))) {
    const path = join(folder, file);
    const session = await InferenceSession.create(path, {
      graphOptimizationLevel: 'extended',
      optimizedModelFilePath: path.replace(/onnx$/, 'ort'),
      extra: { session: { save_model_format: 'ORT' } },
    });
    await session.release();
  }
  for (const file of files.filter((name) => /\.onnx(?:[._]data)?$/.test(name))) await rm(join(folder, file));
  return folder;
}
