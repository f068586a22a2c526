import { join } from 'node:path';
import { greedy } from '@foretoken/greedy';
import { importModel } from '@foretoken/importers';
import * as onnxruntimeWeb from 'onnxruntime-web/wasm';
import { describe, expect, it } from 'vitest';
import {
  type FileCache,
  fetchFolder,
  type LoadProgress,
  loadModel,
  memoryFolder,
  openModelFolder,
} from '../src/index.js';
import * as web from '../src/web.js';
import { refusal, temporaryFolder } from './folder-fixtures.js';
import { fileCount, files, serve, tiny } from './served-folder.js';
import { TINY, writeTinyMarian } from './tiny-marian.js';

const TEXT = 'a b';

/** A cache in memory that counts. */
class MemoryCache implements FileCache {
  readonly entries = new Map<string, Uint8Array<ArrayBuffer>>();
  hits = 0;
  async match(url: string): Promise<Response | undefined> {
    const content = this.entries.get(url);
    if (content === undefined) return undefined;
    this.hits++;
    return new Response(content);
  }
  async put(url: string, response: Response): Promise<void> {
    this.entries.set(url, new Uint8Array(await response.arrayBuffer()));
  }
  async delete(url: string): Promise<boolean> {
    return this.entries.delete(url);
  }
}

const PLAIN = { probe: false, threads: 1 } as const;

async function decoded(
  location: Parameters<typeof loadModel>[0],
  load: typeof loadModel = loadModel,
  options: object = {},
) {
  await using model = await load(location, { ...PLAIN, ...options });
  return [...(await model.decode(TEXT, greedy())).tokenIds];
}

describe('a model folder is the same from wherever it is read', () => {
  it('file system, memory, server: the same tokens', async () => {
    const server = await serve();
    const expected = await decoded(tiny);
    expect(expected.length).toBeGreaterThan(0);
    expect(await decoded(memoryFolder(files))).toEqual(expected);
    expect(await decoded(server.url)).toEqual(expected);
    expect(await decoded(new URL(`${server.url}/`))).toEqual(expected);
    expect(await decoded(fetchFolder(`${server.url}/?key=1#part`))).toEqual(expected);
    expect(server.requests.filter((name) => name.endsWith('?key=1'))).toHaveLength(fileCount);
  });

  it('by the loader for browsers, with onnxruntime-web', async () => {
    const server = await serve();
    const expected = await decoded(tiny);
    expect(await decoded(memoryFolder(files), web.loadModel)).toEqual(expected);
    expect(await decoded(server.url, web.loadModel, { runtime: onnxruntimeWeb })).toEqual(expected);
    expect(await decoded(tiny, loadModel, { runtime: onnxruntimeWeb })).toEqual(expected);
  });

  it('two models whose files have the same names, loaded at once by onnxruntime-web', async () => {
    const other = join(await temporaryFolder(), 'model');
    await importModel(await writeTinyMarian(TINY, 2), other, { weights: 'float32' });
    const states = async (folder: string, options: object): Promise<string> => {
      await using model = await loadModel(folder, { ...PLAIN, ...options });
      const encoding = await model.part('autoregressive').encoder?.encode([Int32Array.of(4, 5, 2)]);
      const { cross } = encoding as unknown as { cross: Float32Array };
      return Array.from(cross, (value) => value.toFixed(3)).join();
    };
    const native = [await states(tiny, {}), await states(other, {})];
    expect(native[0]).not.toBe(native[1]);
    expect(await Promise.all([tiny, other].map((folder) => states(folder, { runtime: onnxruntimeWeb })))).toEqual(
      native,
    );
  });

  it('reads each file of a server once while it loads, all of them verified, and tells how far it is', async () => {
    const server = await serve();
    const events: LoadProgress[] = [];
    await (await loadModel(server.url, { ...PLAIN, onProgress: (event) => events.push(event) })).dispose();
    expect([...server.requests].sort()).toEqual([...files.keys()].sort());
    const read = events.filter((event) => event.stage === 'read');
    const total = [...files].reduce((sum, [name, { length }]) => sum + (name === 'foretoken.json' ? 0 : length), 0);
    expect(read.at(-1)).toMatchObject({ bytes: total, totalBytes: total, cached: false });
    expect(read.every(({ bytes }, index) => bytes > (read[index - 1]?.bytes ?? 0))).toBe(true);
    expect(events.findIndex(({ stage }) => stage === 'open')).toBe(read.length);
    expect(events.filter(({ stage }) => stage === 'open').map(({ file }) => file)).toContain('encoder.onnx');
  });
});

describe('a cache', () => {
  it('keeps files by their digest, so that the next load asks for the manifest alone', async () => {
    const server = await serve();
    const cache = new MemoryCache();
    const expected = await decoded(fetchFolder(server.url, { cache }));
    expect(cache.entries.size).toBeGreaterThan(0);
    server.requests.length = 0;
    const cached: boolean[] = [];
    const onProgress = (event: LoadProgress): void => void (event.stage === 'read' && cached.push(event.cached));
    expect(await decoded(fetchFolder(server.url, { cache }), loadModel, { onProgress })).toEqual(expected);
    expect(server.requests).toEqual(['foretoken.json']);
    expect(new Set(cached)).toEqual(new Set([true]));
  });

  it('that was tampered with is read past, and mended', async () => {
    const server = await serve();
    const cache = new MemoryCache();
    const expected = await decoded(fetchFolder(server.url, { cache }));
    const sound = new Map(cache.entries);
    for (const [index, [key, content]] of [...cache.entries].entries()) {
      const wrong = content.slice(0, content.length - (index % 2));
      wrong[0] = (wrong[0] ?? 0) ^ 1;
      cache.entries.set(key, wrong);
    }
    expect(await decoded(fetchFolder(server.url, { cache }))).toEqual(expected);
    expect(cache.entries).toEqual(sound);
  });

  it('keeps nothing that is not what its digest says', async () => {
    const server = await serve();
    const cache = new MemoryCache();
    const content = (files.get('tokenizer.json') as Uint8Array).slice();
    content[5] = content[5] ^ 1;
    server.files.set('tokenizer.json', content);
    expect((await refusal(() => openModelFolder(fetchFolder(server.url, { cache })))).code).toBe(
      'INVALID_MODEL_FOLDER',
    );
    for (const kept of cache.entries.values()) expect(kept).not.toEqual(content);
  });

  it('that fails costs a download and nothing else', async () => {
    const fails = async (): Promise<never> => {
      throw new DOMException('full', 'QuotaExceededError');
    };
    const server = await serve();
    const cache: FileCache = { match: fails, put: fails, delete: fails };
    expect(await decoded(fetchFolder(server.url, { cache }))).toEqual(await decoded(tiny));
  });
});

describe('threads of onnxruntime-web', () => {
  it('are one number for all sessions: another one is refused, and more than one where a page may not have them', async () => {
    const options = { ...PLAIN, runtime: onnxruntimeWeb };
    await using model = await loadModel(tiny, options);
    expect(model.threads).toBe(1);
    await expect(loadModel(tiny, { ...options, threads: 2 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const page = globalThis as { crossOriginIsolated?: boolean };
    try {
      page.crossOriginIsolated = false;
      await expect(loadModel(tiny, { ...options, threads: 2 })).rejects.toMatchObject({
        code: 'UNSUPPORTED_CAPABILITY',
        details: { capability: 'threads' },
      });
    } finally {
      delete page.crossOriginIsolated;
    }
  });
});
