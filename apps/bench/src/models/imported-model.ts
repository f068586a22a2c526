import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ImportOptions, importModel } from '@foretoken/importers';
import { type LoadedModel, loadModel } from '@foretoken/models';

/** A path of the repository, from sources and from the built bench. */
export function inRepository(...path: readonly string[]): string {
  const [workspace] = fileURLToPath(import.meta.url).split(/[\\/]apps[\\/]bench[\\/]/);
  return join(workspace, ...path);
}

/** Runs with a folder that is removed afterwards. */
export async function inOwnFolder<Result>(run: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'foretoken-models-'));
  try {
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs with weights imported in fp32 and loaded with one thread; nothing of it is left afterwards. */
export function withImported<Result>(
  weights: string,
  run: (model: LoadedModel) => Promise<Result>,
  options: ImportOptions = {},
): Promise<Result> {
  return inOwnFolder(async (parent) => {
    const folder = join(parent, 'model');
    await importModel(weights, folder, { weights: 'float32', ...options });
    await using model = await loadModel(folder, { probe: false, threads: 1 });
    return await run(model);
  });
}
