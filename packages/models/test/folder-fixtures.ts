import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { afterAll } from 'vitest';
import type { MarianManifest } from '../src/families/marian/marian-manifest.js';
import { writeModelFolder } from '../src/folder/write-folder.js';

const made: string[] = [];

afterAll(async () => {
  for (const folder of made.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** An empty folder that is removed after the file's tests. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'foretoken-test-'));
  made.push(folder);
  return folder;
}

export const MANIFEST: Omit<MarianManifest, 'files'> = {
  format: 'foretoken-model',
  formatVersion: 1,
  name: 'tiny',
  description: 'Two lines\nof words.',
  licence: 'CC0-1.0',
  family: 'marian',
  tokenizer: 'tokenizer.json',
  vocabulary: { size: 12, endTokenId: 2, startTokenId: 11, padTokenId: 0, unknownTokenId: 1 },
  limits: { sourceLength: 16, targetLength: 16 },
  architecture: { width: 8, heads: 2, encoderLayers: 1, decoderLayers: 1 },
  graphs: { encoder: 'encoder.onnx', step: { argmax: 'graphs/step.onnx' } },
  training: { epochs: 3 },
};

export const FILES: ReadonlyMap<string, Uint8Array | string> = new Map<string, Uint8Array | string>([
  ['encoder.onnx', Uint8Array.of(1, 2, 3)],
  ['graphs/step.onnx', Uint8Array.of(4, 5, 6, 7)],
  ['weights.bin', new Uint8Array(3_000_000).fill(9)],
  ['tokenizer.json', '{"grüße": 1}'],
]);

/** A valid model folder. */
export async function modelFolder(): Promise<string> {
  const folder = join(await temporaryFolder(), 'model');
  await writeModelFolder(folder, MANIFEST, FILES);
  return folder;
}

/** Sets one field of a folder's manifest, named by its keys; `undefined` removes it. */
export async function editManifest(folder: string, keys: readonly string[], value: unknown): Promise<void> {
  const path = join(folder, 'foretoken.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  let owner = manifest;
  for (const key of keys.slice(0, -1)) owner = owner[key] as Record<string, unknown>;
  Object.defineProperty(owner, keys.at(-1) as string, { value, enumerable: true, configurable: true, writable: true });
  await writeFile(path, JSON.stringify(manifest));
}

/** The typed error a call ends with. */
export async function refusal(call: () => unknown): Promise<ForetokenError> {
  try {
    await call();
  } catch (error) {
    if (!ForetokenError.isInstance(error)) throw error;
    return error;
  }
  throw new Error('The call was not refused.');
}
