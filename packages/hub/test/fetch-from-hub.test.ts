import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ForetokenError } from '@foretoken/core';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { fetchFromHub, type HubOptions, parseHubLocation } from '../src/index.js';
import { cacheFolder, downloads, open, options, refusal, server } from './hub-folder.js';
import { COMMIT } from './hub-server.js';

const WEIGHTS = {
  'config.json': '{"model_type":"marian"}',
  'source.spm': 'source',
  'target.spm': 'target',
  'vocab.json': '{}',
  'model.safetensors': 'w'.repeat(5_000),
  'pytorch_model.bin': 'a pickle',
  'README.md': 'a card',
  '.gitattributes': '',
};

/** A download that ends once something of the weights has come. */
const brokenOff = async (): Promise<ForetokenError> => {
  server.cutAfter = 2_000;
  let start: number | undefined;
  const onProgress: HubOptions['onProgress'] = ({ file, bytes }) => {
    if (file !== 'model.safetensors') return;
    start ??= bytes;
    if (bytes > start) server.breakOff();
  };
  const error = await refusal(fetchFromHub('hub:owner/name', options({ onProgress })));
  server.cutAfter = undefined;
  return error;
};

describe('a repository of weights', () => {
  test('gives what is needed, once, and tells how far it is', async () => {
    await open(WEIGHTS);
    const seen: number[] = [];
    const total = ['config.json', 'source.spm', 'target.spm', 'vocab.json', 'model.safetensors']
      .map((name) => WEIGHTS[name as keyof typeof WEIGHTS].length)
      .reduce((sum, bytes) => sum + bytes);
    const onProgress: HubOptions['onProgress'] = ({ bytes, totalBytes }) => {
      expect(totalBytes).toBe(total);
      seen.push(bytes);
    };
    const { folder, commit } = await fetchFromHub('hub:owner/name', options({ onProgress }));
    expect(commit).toBe(COMMIT);
    const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
    expect(names).toEqual(['config.json', 'model.safetensors', 'source.spm', 'target.spm', 'vocab.json']);
    expect(await readFile(join(folder, 'model.safetensors'), 'utf8')).toBe(WEIGHTS['model.safetensors']);
    expect(seen).toEqual([...seen].sort((first, second) => first - second));
    expect(seen.at(-1)).toBe(total);
    const before = downloads().length;
    expect((await fetchFromHub('hub:owner/name', options())).folder).toBe(folder);
    expect(downloads().length).toBe(before);
  });

  test('is taken from this machine when offline; what was never loaded is refused', async () => {
    await open(WEIGHTS);
    const first = await refusal(fetchFromHub('hub:owner/name', options({ offline: true })));
    expect(first).toMatchObject({ code: 'INVALID_ARGUMENT' });
    const { folder } = await fetchFromHub('hub:owner/name', options());
    const count = server.requests.length;
    expect(await fetchFromHub('hub:owner/name', options({ offline: true }))).toEqual({ folder, commit: COMMIT });
    expect(await fetchFromHub(`hub:owner/name@${COMMIT}`, options({ offline: true }))).toEqual({
      folder,
      commit: COMMIT,
    });
    expect(server.requests.length).toBe(count);
  });

  test.each([
    ['goes on where it ended', false],
    ['begins again where the server gives no parts', true],
  ])('a download that broke off %s', async (_, whole) => {
    await open(WEIGHTS);
    const error = await brokenOff();
    expect(error.code).toBe('NETWORK_FAILURE');
    expect(error.message).toContain('model.safetensors');
    server.whole = whole;
    const { folder } = await fetchFromHub('hub:owner/name', options());
    expect(await readFile(join(folder, 'model.safetensors'), 'utf8')).toBe(WEIGHTS['model.safetensors']);
    const ranges = server.requests.flatMap(({ range }) => (range === undefined ? [] : [range]));
    expect(ranges).toEqual([expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
    expect(await readdir(join(folder, '../../partial'))).toEqual([]);
  });

  test('with other bytes than it lists is refused, and nothing of them is kept', async () => {
    await open(WEIGHTS);
    server.lies = true;
    const error = await refusal(fetchFromHub('hub:owner/name', options()));
    expect(error).toMatchObject({ code: 'NETWORK_FAILURE', details: { reason: 'digest' } });
    server.lies = false;
    const { folder } = await fetchFromHub('hub:owner/name', options());
    expect(await readFile(join(folder, 'config.json'), 'utf8')).toBe(WEIGHTS['config.json']);
  });

  test('a kept part that is wrong does not stay in the way', async () => {
    await open(WEIGHTS);
    await brokenOff();
    const partial = join(cacheFolder, 'models--owner--name/partial');
    const [name] = await readdir(partial);
    await writeFile(join(partial, name), 'x'.repeat(3_000));
    await refusal(fetchFromHub('hub:owner/name', options()));
    await fetchFromHub('hub:owner/name', options());
  });

  test('stops at an abort, and its reason is thrown', async () => {
    await open(WEIGHTS);
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = (): void => controller.abort(reason);
    await expect(fetchFromHub('hub:owner/name', options({ signal: controller.signal, onProgress }))).rejects.toBe(
      reason,
    );
    await expect(fetchFromHub('hub:owner/name', options({ signal: controller.signal }))).rejects.toBe(reason);
  });

  test('that is private needs a token, which is sent', async () => {
    await open(WEIGHTS);
    server.requiredToken = 'hf_secret';
    const error = await refusal(fetchFromHub('hub:owner/name', options()));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { status: 401 } });
    expect(error.message).toContain('HF_TOKEN');
    const { commit } = await fetchFromHub('hub:owner/name', options({ token: 'hf_secret' }));
    expect(commit).toBe(COMMIT);
    expect(error.message).not.toContain('hf_secret');
  });
});

test('a model folder of Foretoken comes whole', async () => {
  await open({ 'foretoken.json': '{}', 'encoder.onnx': 'e', 'deep/step.onnx': 's', 'README.md': 'card' });
  const { folder } = await fetchFromHub('hub:owner/name@main', options());
  expect(await readFile(join(folder, 'deep/step.onnx'), 'utf8')).toBe('s');
  expect(await readdir(folder)).not.toContain('README.md');
});

test.each([
  ['pickled weights', { 'pytorch_model.bin': 'p', 'config.json': '{}' }, 'pickle'],
  ['nothing of use', { 'README.md': 'card' }, 'model.safetensors'],
])('a repository with %s is refused before anything is downloaded', async (_, files, words) => {
  await open(files);
  const error = await refusal(fetchFromHub('hub:owner/name', options()));
  expect(error.code).toBe('UNSUPPORTED_MODEL');
  expect(error.message).toContain(words);
  expect(downloads()).toEqual([]);
});

test('names that could leave the cache are never written', async () => {
  await open({ ...WEIGHTS, '../../outside': 'x', 'foretoken.json': '{}', 'a/../../b': 'x' });
  const { folder } = await fetchFromHub('hub:owner/name', options());
  expect((await readdir(folder)).some((name) => name.includes('outside'))).toBe(false);
  expect(await readdir(join(folder, '..'))).toEqual([COMMIT]);
});

test('a repository that is not there, and a server that does not answer', async () => {
  await open(WEIGHTS);
  expect(await refusal(fetchFromHub('hub:other/name', options()))).toMatchObject({
    code: 'INVALID_ARGUMENT',
    details: { status: 404 },
  });
  const error = await refusal(fetchFromHub('hub:owner/name', options({ endpoint: 'http://127.0.0.1:9' })));
  expect(error).toMatchObject({ code: 'NETWORK_FAILURE' });
});

describe('locations', () => {
  beforeEach(() => open({}));

  test('name a repository and a revision', () => {
    expect(parseHubLocation('hub:Helsinki-NLP/opus-mt-en-de')).toEqual({
      repository: 'Helsinki-NLP/opus-mt-en-de',
      revision: 'main',
    });
    expect(parseHubLocation('hub:a/b@refs/pr/1').revision).toBe('refs/pr/1');
  });

  test.each(['hub:', 'hub:name', 'hub:a/b/c', 'hub:../b', 'hub:a/..', 'hub:a/b@../x', 'hub:a/b@', 'a/b', 7, null])(
    '%s is refused',
    (location) => {
      expect(() => parseHubLocation(location as string)).toThrow(/hub:owner\/name/);
    },
  );
});

test('a revision that leads elsewhere is refused', () => {
  expect(() => parseHubLocation('hub:owner/name@a/../b')).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});

test('HF_HUB_OFFLINE asks nobody', async () => {
  vi.stubEnv('HF_HUB_OFFLINE', '1');
  try {
    const options = { endpoint: 'http://127.0.0.1:9', cacheFolder: '/nowhere/at/all' };
    await expect(fetchFromHub('hub:owner/name', options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  } finally {
    vi.unstubAllEnvs();
  }
});
