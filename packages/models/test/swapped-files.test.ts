import { copyFileSync, linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { cp, readFile, rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beamSearch } from '@foretoken/beam';
import { collect, ForetokenError } from '@foretoken/core';
import { openSessions } from '@foretoken/core/runtime';
import { greedy } from '@foretoken/greedy';
import { importModel } from '@foretoken/importers';
import { beforeAll, describe, expect, it } from 'vitest';
import { type LoadedModel, type LoadOptions, loadModel } from '../src/index.js';
import { refusal, temporaryFolder } from './folder-fixtures.js';
import { TINY, writeTinyMarian } from './tiny-marian.js';

const SOURCES = [Int32Array.of(3, 7, 12, 2), Int32Array.of(9, 4, 2)];

/** By a graph that is opened at load, and by one that is opened when it is first used. */
async function outputs(model: LoadedModel): Promise<string> {
  const request = { sources: SOURCES, maxNewTokens: 8 };
  const target = model.part('autoregressive');
  const decodes = [greedy().decode(target, request), beamSearch({ beamSize: 3 }).decode(target, request)];
  const results: unknown[] = [];
  for (const decode of decodes) results.push((await collect(decode)).results.map(({ best }) => [...best.tokenIds]));
  return JSON.stringify(results);
}

/** What a folder gives: outputs, or the code of an error. */
async function outcome(folder: string, options: LoadOptions = {}): Promise<string> {
  const before = openSessions();
  try {
    await using model = await loadModel(folder, { probe: false, ...options });
    return await outputs(model);
  } catch (error) {
    expect(openSessions()).toBe(before);
    if (ForetokenError.isInstance(error)) return error.code;
    throw error;
  }
}

let parent: string;
let first: string;
let second: string;
beforeAll(async () => {
  parent = await temporaryFolder();
  first = join(parent, 'first');
  second = join(parent, 'second');
  await importModel(await writeTinyMarian(TINY, 1), first, { weights: 'float32' });
  await importModel(await writeTinyMarian(TINY, 5), second, { weights: 'float32' });
});

/** Ways to put a file of one model in the place of another's. */
const EXCHANGES: Record<string, (from: string, to: string) => void> = {
  'renamed over': (from, to) => {
    copyFileSync(from, `${to}.new`);
    renameSync(`${to}.new`, to);
  },
  'hard-linked': (from, to) => {
    rmSync(to);
    linkSync(from, to);
  },
  'written over in place': (from, to) => writeFileSync(to, readFileSync(from)),
};

describe('files that are exchanged while they are read', () => {
  it.each(Object.keys(EXCHANGES))('never mix two models: %s', async (name) => {
    const models = [await outcome(first), await outcome(second)];
    expect(models[0]).not.toBe(models[1]);
    const exchange = EXCHANGES[name];
    const seen = new Set<string>();
    // At every step that loading tells of, all files or the weights alone; until there are no more steps.
    for (const only of [undefined, 'weights.bin']) {
      for (let at = 0, steps = 1; at < steps; at++) {
        const folder = join(parent, `${name.replaceAll(' ', '-')}-${only ?? 'all'}-${at}`);
        await cp(first, folder, { recursive: true });
        let step = 0;
        const onProgress = (): void => {
          if (step++ !== at) return;
          for (const file of readdirSync(second)) {
            if (only === undefined || file === only) exchange(join(second, file), join(folder, file));
          }
        };
        const found = await outcome(folder, { onProgress });
        steps = Math.max(steps, step);
        expect([...models, 'INVALID_MODEL_FOLDER']).toContain(found);
        seen.add(found);
      }
    }
    expect(seen).toContain('INVALID_MODEL_FOLDER');
    expect(await outcome(second)).toBe(models[1]);
  });
});

describe('what a folder holds', () => {
  it('is refused by its size where a file is sparse and of 2 GB, before memory is taken', async () => {
    for (const file of readdirSync(first)) {
      const folder = join(parent, `sparse-${file}`);
      await cp(first, folder, { recursive: true });
      await truncate(join(folder, file), 2 * 1024 ** 3);
      const error = await refusal(() => loadModel(folder, { probe: false }));
      expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { received: 2 * 1024 ** 3 } });
    }
  });

  it('is of the format that the name of a graph says, `.ort` among them', async () => {
    const folder = join(parent, 'ort');
    await cp(first, folder, { recursive: true });
    await rename(join(folder, 'encoder.onnx'), join(folder, 'encoder.ort'));
    const manifest = join(folder, 'foretoken.json');
    await writeFile(manifest, (await readFile(manifest, 'utf8')).replaceAll('encoder.onnx', 'encoder.ort'));
    expect(await outcome(folder)).toBe('INVALID_MODEL_FOLDER');
  });
});
