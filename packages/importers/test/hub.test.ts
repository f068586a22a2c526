import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { greedy } from '@foretoken/greedy';
import { loadModel } from '@foretoken/models';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { HubServer } from '../../hub/test/hub-server.js';
import { refusal, temporaryFolder } from '../../models/test/folder-fixtures.js';
import { writeTinyMarian } from '../../models/test/tiny-marian.js';
import { importModel } from '../src/index.js';

const contents = async (folder: string): Promise<Record<string, Uint8Array>> =>
  Object.fromEntries(
    await Promise.all((await readdir(folder)).map(async (name) => [name, await readFile(join(folder, name))] as const)),
  );

let server: HubServer | undefined;
const serve = async (folder: string): Promise<string> => {
  server = new HubServer(await contents(folder));
  const endpoint = await server.start();
  const cache = await temporaryFolder();
  vi.stubEnv('HF_ENDPOINT', endpoint);
  vi.stubEnv('HF_HUB_OFFLINE', '0');
  vi.stubEnv('FORETOKEN_CACHE', cache);
  return endpoint;
};
afterEach(async () => {
  vi.unstubAllEnvs();
  await server?.stop();
});

describe('a model on the hub', () => {
  test('is imported by its name there, and the folder loaded from there decodes the same', async () => {
    const weights = await writeTinyMarian();
    await serve(weights);
    const target = join(await temporaryFolder(), 'model');
    const manifest = await importModel('hub:owner/name', target);
    expect(manifest.name).toBe('name');
    await server?.stop();

    await serve(target);
    const files: string[] = [];
    await using fromHub = await loadModel('hub:owner/name', {
      probe: false,
      onProgress: (progress) => {
        if (progress.stage === 'read') files.push(progress.file);
      },
    });
    await using fromDisk = await loadModel(target, { probe: false });
    const [first, second] = [await fromHub.decode('abc', greedy()), await fromDisk.decode('abc', greedy())];
    expect([...first.tokenIds]).toEqual([...second.tokenIds]);
    expect(files).toContain('encoder.onnx');
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    await server?.stop();
    await using kept = await loadModel('hub:owner/name', { probe: false });
    expect(kept.manifest).toEqual(fromDisk.manifest);
  });

  test('that holds weights is no model folder yet', async () => {
    await serve(await writeTinyMarian());
    const error = await refusal(() => loadModel('hub:owner/name'));
    expect(error.code).toBe('INVALID_MODEL_FOLDER');
    expect(error.message).toContain('import');
  });

  test('with a name that is none is refused', async () => {
    const error = await refusal(() => loadModel('hub:owner'));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(error.message).toContain('hub:owner/name');
  });
});
