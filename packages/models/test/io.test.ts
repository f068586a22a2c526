import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { openSessions } from '@foretoken/core/runtime';
import { greedy } from '@foretoken/greedy';
import { importModel } from '@foretoken/importers';
import * as onnxruntimeWeb from 'onnxruntime-web/wasm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type FetchOptions,
  type FileCache,
  fetchFolder,
  type LoadProgress,
  loadModel,
  memoryFolder,
  openModelFolder,
} from '../src/index.js';
import * as web from '../src/web.js';
import { modelFolder, refusal, temporaryFolder } from './folder-fixtures.js';
import { TINY, writeTinyMarian } from './tiny-marian.js';

const TEXT = 'a b';

/** All files of a folder by their names. */
async function contentOf(folder: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(folder.length + 1), new Uint8Array(await readFile(path)));
  }
  return files;
}

type Answer = {
  readonly status?: number;
  readonly body?: Uint8Array | string;
  readonly cut?: boolean;
  readonly never?: boolean;
};

/** A server of files in memory, which answers some of them in its own way. */
class FileServer {
  readonly files: Map<string, Uint8Array>;
  readonly answers = new Map<string, Answer>();
  readonly requests: string[] = [];
  readonly #server: Server;
  url = '';

  constructor(files: Map<string, Uint8Array>) {
    this.files = files;
    this.#server = createServer((request, response) => {
      const { pathname, search } = new URL(request.url ?? '/', 'http://host');
      const name = pathname.replace(/^\/models\/tiny\//, '');
      this.requests.push(name + search);
      const { status = 200, body = this.files.get(name), cut, never } = this.answers.get(name) ?? {};
      if (never) return;
      if (body === undefined) return void response.writeHead(404).end('nothing here');
      if (!cut) return void response.writeHead(status).end(body);
      response.writeHead(status, { 'content-length': body.length });
      response.write(body.slice(0, body.length / 2), () => response.destroy());
    });
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/models/tiny`;
    return this;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

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

let tiny: string;
let files: Map<string, Uint8Array>;
let fileCount: number;
const servers: FileServer[] = [];

beforeAll(async () => {
  tiny = join(await temporaryFolder(), 'model');
  await importModel(await writeTinyMarian(TINY, 1), tiny, { weights: 'float32' });
  files = await contentOf(tiny);
  fileCount = files.size;
});
afterAll(() => {
  for (const server of servers) server.close();
});

async function serve(): Promise<FileServer> {
  const server = await new FileServer(new Map(files)).open();
  servers.push(server);
  return server;
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

describe('what a server gives in the place of a file', () => {
  const HTML = '<!DOCTYPE html><html><body>Log in</body></html>';
  const WEIGHTS = 'weights.bin';
  it.each<[string, string, Answer, object, RegExp]>([
    [
      'nothing, of the manifest',
      'foretoken.json',
      { status: 404, body: '' },
      { code: 'INVALID_MODEL_FOLDER', details: { status: 404 } },
      /There is no model folder at http/,
    ],
    [
      'nothing, of a file',
      WEIGHTS,
      { status: 404, body: '' },
      { code: 'INVALID_MODEL_FOLDER', details: { status: 404, file: WEIGHTS } },
      /is missing from/,
    ],
    [
      'a refusal',
      WEIGHTS,
      { status: 403, body: '' },
      { code: 'INVALID_MODEL_FOLDER', details: { status: 403 } },
      /not given out/,
    ],
    [
      'a failure',
      WEIGHTS,
      { status: 503, body: '' },
      { code: 'NETWORK_FAILURE', details: { status: 503, reason: 'status' } },
      /HTTP 503/,
    ],
    [
      'too many requests',
      WEIGHTS,
      { status: 429, body: '' },
      { code: 'NETWORK_FAILURE', details: { status: 429 } },
      /Try again/,
    ],
    ['a page, of the manifest', 'foretoken.json', { body: HTML }, { code: 'INVALID_MODEL_FOLDER' }, /a web page/],
    [
      'a page, of a file',
      WEIGHTS,
      { body: HTML },
      { code: 'INVALID_MODEL_FOLDER', details: { file: WEIGHTS } },
      /a web page/,
    ],
    [
      'a page, of a small file',
      'tokenizer.json',
      { body: HTML.padEnd(3_000_000) },
      { code: 'INVALID_MODEL_FOLDER' },
      /a web page/,
    ],
    ['a part of it', WEIGHTS, { body: 'abc' }, { code: 'INVALID_MODEL_FOLDER', details: { received: 3 } }, /truncated/],
    ['more than it', 'tokenizer.json', { body: 'x'.repeat(3_000_000) }, { code: 'INVALID_MODEL_FOLDER' }, /oversized/],
    ['an empty file', WEIGHTS, { body: '' }, { code: 'INVALID_MODEL_FOLDER', details: { received: 0 } }, /truncated/],
    [
      'a transfer that breaks off',
      WEIGHTS,
      { cut: true },
      { code: 'NETWORK_FAILURE', details: { reason: 'interrupted', file: WEIGHTS } },
      /broke off/,
    ],
  ])('%s is refused by code', async (_, file, answer, error, message) => {
    const server = await serve();
    server.answers.set(file, answer);
    const refused = await refusal(() => openModelFolder(server.url));
    expect(refused).toMatchObject(error);
    expect(refused.message).toMatch(message);
  });

  it('another file of the same size is refused by its digest', async () => {
    const server = await serve();
    const content = (files.get(WEIGHTS) as Uint8Array).slice();
    content[100] = content[100] ^ 1;
    server.files.set(WEIGHTS, content);
    const refused = await refusal(() => openModelFolder(server.url));
    expect(refused).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: WEIGHTS } });
    expect(refused.message).toContain('digest differs');
  });

  it('a server that is not there, or not allowed to be read, is a failure of the network', async () => {
    const server = await serve();
    server.close();
    expect(await refusal(() => openModelFolder(server.url))).toMatchObject({
      code: 'NETWORK_FAILURE',
      details: { reason: 'unreachable', file: 'foretoken.json' },
    });
    const page = globalThis as { location?: unknown; navigator?: unknown };
    const before = Object.getOwnPropertyDescriptors(page);
    const place = (name: 'location' | 'navigator', value: unknown) =>
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    try {
      place('location', { origin: 'https://page.example' });
      const crossed = await refusal(() => openModelFolder(server.url));
      expect(crossed).toMatchObject({ code: 'NETWORK_FAILURE', details: { reason: 'unreachable-or-cors' } });
      expect(crossed.message).toContain('Access-Control-Allow-Origin: https://page.example');
      place('navigator', { onLine: false });
      expect((await refusal(() => openModelFolder(server.url))).details.reason).toBe('offline');
    } finally {
      for (const name of ['location', 'navigator'] as const) {
        const descriptor = before[name];
        if (descriptor === undefined) delete page[name];
        else Object.defineProperty(globalThis, name, descriptor);
      }
    }
  });

  it('no secret of a query gets into a message', async () => {
    const server = await serve();
    server.answers.set(WEIGHTS, { status: 404, body: '' });
    const refused = await refusal(() => openModelFolder(`${server.url}?token=secret`));
    expect(JSON.stringify([refused.message, refused.details])).not.toContain('secret');
  });

  it('no more is read of an endless file than its record says, and the others are given up', async () => {
    let given = 0;
    let stopped = 0;
    const endless: FetchOptions['fetch'] = async (url, { signal }) => {
      if (url.endsWith('encoder.onnx')) {
        return new Promise((_, reject) => {
          signal?.addEventListener('abort', () => {
            stopped++;
            reject(signal.reason);
          });
        });
      }
      const name = url.split('/').at(-1) as string;
      if (name !== WEIGHTS) return new Response((files.get(name) as Uint8Array<ArrayBuffer>).slice());
      const pull = (controller: ReadableStreamDefaultController): void => {
        given += 65_536;
        controller.enqueue(new Uint8Array(65_536));
      };
      return new Response(new ReadableStream({ pull }));
    };
    const refused = await refusal(() => openModelFolder(fetchFolder('https://host/model', { fetch: endless })));
    expect(refused).toMatchObject({ code: 'INVALID_MODEL_FOLDER', details: { file: WEIGHTS } });
    expect(given).toBeLessThan((files.get(WEIGHTS) as Uint8Array).length + 5 * 65_536);
    expect(stopped).toBeGreaterThan(0);
  });
});

describe('an abort', () => {
  it('before and while files are fetched throws its reason, and leaves no session open', async () => {
    const before = openSessions();
    const server = await serve();
    server.answers.set('weights.bin', { never: true });
    const reason = new Error('changed my mind');
    await expect(loadModel(server.url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const loading = loadModel(server.url, {
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    });
    await expect(loading).rejects.toBe(reason);
    expect(openSessions()).toBe(before);
  });
});

describe('what is no location', () => {
  it('is refused by code', async () => {
    for (const url of ['ftp://host/model', 'model', '', 'data:text/plain,x']) {
      expect(() => fetchFolder(url)).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
    for (const location of ['', undefined, null, {}, 3, 'relative/where/there/is/no/page']) {
      await expect(web.loadModel(location as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      await expect(web.openModelFolder(location as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    for (const wrong of [undefined, {}, [], new Map([['a', 'text']]), new Map([[1, new Uint8Array()]])]) {
      expect(() => memoryFolder(wrong as never)).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
  });

  it('files in memory are checked as those of any folder', async () => {
    const folder = await contentOf(await modelFolder());
    expect((await openModelFolder(memoryFolder(folder))).manifest.name).toBe('tiny');
    for (const [name, content] of folder) {
      const changed = new Map(folder);
      changed.delete(name);
      expect((await refusal(() => openModelFolder(memoryFolder(changed)))).message).toContain(`${name} is missing`);
      if (name === 'foretoken.json') continue;
      const flipped = content.slice();
      flipped[0] = flipped[0] ^ 1;
      changed.set(name, flipped);
      expect((await refusal(() => openModelFolder(memoryFolder(changed)))).details.file).toBe(name);
    }
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
