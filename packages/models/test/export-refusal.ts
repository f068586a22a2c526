import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { expect } from 'vitest';
import { loadModel } from '../src/index.js';

export async function refusal(folder: Parameters<typeof loadModel>[0], options?: Parameters<typeof loadModel>[1]) {
  const error: unknown = await loadModel(folder, { probe: false, improveGraph: false, ...options }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ForetokenError);
  return error as ForetokenError;
}

export async function edit(
  folder: string,
  file: string,
  change: (content: Record<string, unknown>) => object,
): Promise<void> {
  const path = join(folder, file);
  const content = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  await writeFile(path, JSON.stringify(change(content)));
}
