import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { externalTensor, sum } from '../../models/test/onnx-fixtures.js';
import { fetchFromHub, type HubOptions } from '../src/index.js';
import { downloads, graphOf, open, options, refusal, server } from './hub-folder.js';

const WEIGHTS = 'w'.repeat(5_000);
const names = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();

/** An encoder and a decoder that share a file of weights, in a folder that holds files by other names too. */
const SHARED = {
  'config.json': '{}',
  'onnx/encoder_model.onnx': graphOf('encoder', 'weights.bin'),
  'onnx/decoder_model_merged.onnx': graphOf('decoder', 'weights.bin', 'parts/model.data'),
  'onnx/weights.bin': WEIGHTS,
  'onnx/parts/model.data': 'd'.repeat(100),
  'onnx/encoder_model.onnx_data': 'left by an earlier export',
  'weights.bin': 'of something else',
};
const NEEDED = [
  'config.json',
  'onnx/decoder_model_merged.onnx',
  'onnx/encoder_model.onnx',
  'onnx/parts/model.data',
  'onnx/weights.bin',
];
const bytes = (...files: readonly string[]): number =>
  files.reduce((total, name) => total + SHARED[name as keyof typeof SHARED].length, 0);

describe('weights of graphs', () => {
  test('come by the names that the graphs give, each once, and nothing else does', async () => {
    await open(SHARED);
    const seen: number[] = [];
    const totals = new Set<number>();
    const onProgress: HubOptions['onProgress'] = (progress) => {
      seen.push(progress.bytes);
      totals.add(progress.totalBytes);
      expect(progress.bytes).toBeLessThanOrEqual(progress.totalBytes);
    };
    const { folder } = await fetchFromHub('hub:owner/name', options({ onProgress }));
    expect(await names(folder)).toEqual(NEEDED);
    expect(await readFile(join(folder, 'onnx/weights.bin'), 'utf8')).toBe(WEIGHTS);
    expect(downloads()).toHaveLength(NEEDED.length);
    expect(seen).toEqual([...seen].sort((first, second) => first - second));
    expect(seen.at(-1)).toBe(bytes(...NEEDED));
    expect([...totals]).toEqual([bytes(...NEEDED.slice(0, 3)), bytes(...NEEDED)]);
    const count = downloads().length;
    expect((await fetchFromHub('hub:owner/name', options())).folder).toBe(folder);
    expect(downloads()).toHaveLength(count);
    await server.stop();
    expect((await fetchFromHub('hub:owner/name', options({ offline: true }))).folder).toBe(folder);
    await writeFile(join(folder, 'onnx/weights.bin'), 'other');
    const changed = await refusal(fetchFromHub('hub:owner/name', options({ offline: true })));
    expect(changed).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'onnx/weights.bin' } });
  });

  test('that broke off go on where they ended, and the graphs are not fetched again', async () => {
    await open(SHARED);
    server.cutAfter = 2_000;
    const onProgress: HubOptions['onProgress'] = ({ file }) => {
      if (file === 'onnx/weights.bin') server.breakOff();
    };
    const error = await refusal(fetchFromHub('hub:owner/name', options({ onProgress })));
    expect(error).toMatchObject({ code: 'NETWORK_FAILURE', details: { file: 'onnx/weights.bin' } });
    expect((await refusal(fetchFromHub('hub:owner/name', options({ offline: true })))).code).toBe('INVALID_ARGUMENT');
    server.cutAfter = undefined;
    const before = downloads().length;
    const { folder } = await fetchFromHub('hub:owner/name', options());
    expect(
      downloads()
        .slice(before)
        .map((url) => url.split('/').at(-1)),
    ).toEqual(['weights.bin', 'model.data']);
    expect(server.requests.flatMap(({ range }) => range ?? [])).toEqual([expect.stringMatching(/^bytes=[1-9]/)]);
    expect(await readFile(join(folder, 'onnx/weights.bin'), 'utf8')).toBe(WEIGHTS);
  });

  test('of other bytes than the hub lists are refused', async () => {
    await open(SHARED);
    server.instead = ({ url = '' }, response) => {
      if (!url.endsWith('/onnx/weights.bin')) return false;
      response.end('x'.repeat(WEIGHTS.length));
      return true;
    };
    const error = await refusal(fetchFromHub('hub:owner/name', options()));
    expect(error).toMatchObject({ details: { file: 'onnx/weights.bin', reason: 'digest' } });
  });

  test.each([
    'missing.bin',
    '../weights.bin',
    '../../outside.bin',
    '/etc/passwd',
    './weights.bin',
    '',
    'parts',
    'a\0b',
  ])('that a graph wants from %j are refused before any of them is fetched', async (location) => {
    await open({ ...SHARED, 'onnx/decoder_model_merged.onnx': graphOf('decoder', 'weights.bin', location) });
    const error = await refusal(fetchFromHub('hub:owner/name', options()));
    expect(error).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { file: 'onnx/decoder_model_merged.onnx', field: 'external data location', received: location },
    });
    expect(error.message).toContain('owner/name');
    expect(downloads().filter((url) => url.endsWith('weights.bin'))).toEqual([]);
  });

  test('that are shorter than the graph reads are refused before they are fetched', async () => {
    const graph = sum(externalTensor('weights.bin', 'w', 4_996, 8));
    await open({ 'config.json': '{}', 'model.onnx': graph, 'weights.bin': WEIGHTS });
    const error = await refusal(fetchFromHub('hub:owner/name', options()));
    expect(error).toMatchObject({
      code: 'INVALID_MODEL_FOLDER',
      details: { file: 'model.onnx', received: 5_000, required: 5_004 },
    });
    expect(downloads().filter((url) => url.endsWith('weights.bin'))).toEqual([]);
  });

  test.each([
    ['a pointer', 'version https://git-lfs.github.com/spec/v1\n'],
    ['a cut graph', graphOf('cut', 'weights.bin').subarray(0, -1)],
  ])('of %s are not looked for', async (_, graph) => {
    await open({ 'config.json': '{}', 'model.onnx': graph, 'weights.bin': WEIGHTS });
    const error = await refusal(fetchFromHub('hub:owner/name', options()));
    expect(error).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: 'model.onnx', required: 'ONNX' } });
    expect(error.message).toContain('is not an ONNX graph');
  });

  test('of a model folder are not asked for: it comes whole', async () => {
    const files = { 'foretoken.json': '{}', 'model.onnx': 'any', 'weights.bin': WEIGHTS };
    await open(files);
    const { folder } = await fetchFromHub('hub:owner/name', options());
    expect(await names(folder)).toEqual(Object.keys(files).sort());
  });

  test('are added to what was kept before graphs were asked for them, unless offline', async () => {
    await open(SHARED);
    const { folder } = await fetchFromHub('hub:owner/name', options());
    const record = join(folder, '.complete');
    const { files } = JSON.parse(await readFile(record, 'utf8')) as { files: readonly { readonly path: string }[] };
    const kept = files.filter(({ path }) => !path.endsWith('weights.bin'));
    const earlier = JSON.stringify({ version: 1, files: kept });
    await writeFile(record, earlier);
    // What is digested again is written down, and the record stays one of that time.
    await utimes(join(folder, 'config.json'), 1, 1);
    await fetchFromHub('hub:owner/name', options({ offline: true }));
    expect(await readFile(record, 'utf8')).not.toBe(earlier);
    expect(JSON.parse(await readFile(record, 'utf8'))).toMatchObject({ version: 1 });
    const before = server.requests.length;
    await fetchFromHub('hub:owner/name', options());
    expect(server.requests.length).toBeGreaterThan(before);
    expect(JSON.parse(await readFile(record, 'utf8'))).toMatchObject({ version: 2, files: { length: files.length } });
    const count = server.requests.length;
    await fetchFromHub('hub:owner/name', options({ offline: true }));
    expect(server.requests).toHaveLength(count);
  });
});
