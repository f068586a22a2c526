import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { importModel } from '@foretoken/importers';
import { build } from 'tsdown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runStoppable } from '../src/index.js';
import { writeTinyMarian } from './tiny-marian.js';

const run = promisify(execFile);
// Inside the repository, so that onnxruntime-node is found.
const cache = fileURLToPath(new URL('../../../node_modules/.cache/', import.meta.url));

let folder: string;
let script: string;
let model: string;
let weights: string;

beforeAll(async () => {
  await mkdir(cache, { recursive: true });
  folder = await mkdtemp(join(cache, 'stoppable-worker-'));
  await build({
    config: false,
    entry: [fileURLToPath(new URL('stoppable-worker-child.ts', import.meta.url))],
    outDir: folder,
    format: 'esm',
    dts: false,
    clean: false,
    logLevel: 'silent',
    platform: 'node',
    // Everything but the native runtime goes into the one file, from the sources.
    noExternal: /^(?!onnxruntime-node)/,
    external: ['onnxruntime-node'],
    inputOptions: { resolve: { conditionNames: ['foretoken-source', 'node', 'import', 'default'] } },
  });
  script = join(folder, 'stoppable-worker-child.mjs');
  // Wide enough for most of the time to be spent inside the native runtime.
  const shape = { vocabularySize: 1000, width: 128, heads: 4, feedForward: 512, layers: 2, maxPositions: 40 };
  weights = await writeTinyMarian(shape);
  model = join(folder, 'model');
  await importModel(weights, model, { weights: 'float32' });
});

afterAll(async () => {
  for (const path of [folder, weights]) await rm(path, { recursive: true, force: true });
});

describe('a worker that decodes', () => {
  it.each([
    ['stop in mid-decode', 1],
    ['stop several, then exit', 4],
    ['stop twice, before work, and after the end', 1],
    ['work that ends by itself', 1],
    ['work that fails', 1],
  ])('%s: the process lives on and ends well', async (mode, processes) => {
    for (let attempt = 0; attempt < processes; attempt++) {
      // Rejects unless the exit code is 0; an abort of the runtime gives 134.
      const { stdout } = await run(process.execPath, [script, mode], { env: { ...process.env, MODEL: model } });
      expect(stdout).toBe(mode.includes('exit') ? '' : 'rested\n');
    }
  });
});

describe('a worker that decodes with another family', () => {
  const goldens = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  const importers = '../../importers/test/goldens/';
  /** Weights to import, or a folder to load as it is. */
  const families: Readonly<
    Record<string, { readonly weights?: string; readonly folder?: string; readonly frames?: number }>
  > = {
    'a recurrent one': { weights: goldens(`${importers}recurrent/gru`) },
    Whisper: { weights: goldens(`${importers}whisper/transformers`), frames: 48 },
    'decoder-only': { weights: goldens('goldens/causal/llama') },
    T5: { weights: goldens('goldens/encoder-decoder/t5') },
    'an export with an encoder': { folder: goldens('goldens/exports/t5') },
    'an export of a decoder': { folder: goldens('goldens/exports/llama') },
  };

  it.each(Object.entries(families))(
    '%s: is stopped in the same way',
    async (name, { weights: from, folder: as, frames }) => {
      const path = as ?? join(folder, name.replaceAll(' ', '-'));
      if (from !== undefined) await importModel(from, path, { weights: 'float32' });
      const env = { ...process.env, MODEL: path, RUNS: '4', FRAMES: String(frames ?? 0) };
      expect((await run(process.execPath, [script, 'stop in mid-decode'], { env })).stdout).toBe('rested\n');
    },
  );
});

describe('runStoppable', () => {
  it('is refused in the main thread of a process, before the work', async () => {
    let worked = false;
    const work = async (): Promise<void> => {
      worked = true;
    };
    await expect(runStoppable(work)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(worked).toBe(false);
  });
});
