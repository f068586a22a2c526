import { openSessions } from '@foretoken/core/runtime';
import { describe, expect, it } from 'vitest';
import { type FetchOptions, fetchFolder, loadModel, memoryFolder, openModelFolder } from '../src/index.js';
import * as web from '../src/web.js';
import { modelFolder, refusal } from './folder-fixtures.js';
import { type Answer, contentOf, files, serve } from './served-folder.js';

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
