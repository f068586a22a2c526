import { createHash } from 'node:crypto';
import { open as openFile, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { fetchAtPace } from '../src/fetch-from-hub.js';
import { fetchFromHub } from '../src/index.js';
import { verifiedState } from '../src/kept-files.js';
import { open, options, refusal, server } from './hub-folder.js';
import { COMMIT, entry, HubServer } from './hub-server.js';

const FILES = { 'config.json': '{}', 'tokenizer.json': '{}', 'model.safetensors': 'w'.repeat(5_000) };
const TOKEN = 'hf_secret';

/** Waits for nothing. */
const AT_ONCE = { now: () => 0, wait: async () => undefined };

type Answer = (request: IncomingMessage, response: ServerResponse) => boolean;

const json = (response: ServerResponse, content: unknown, headers: Record<string, string> = {}): true => {
  response.writeHead(200, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(content));
  return true;
};
const status = (response: ServerResponse, code: number, headers: Record<string, string> = {}): true => {
  response.writeHead(code, headers);
  response.end('no');
  return true;
};
const isWeights = ({ url = '' }: IncomingMessage): boolean => url.endsWith('/model.safetensors');
const isList = ({ url = '' }: IncomingMessage): boolean => url.includes('/tree/');
const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
const weights = (): string =>
  join(options().cacheFolder ?? '', `models--owner--name/snapshots/${COMMIT}/model.safetensors`);

/** Leaves a part of the weights behind. */
async function breakOff(): Promise<void> {
  server.cutAfter = 2_000;
  const onProgress = ({ file, bytes }: { file: string; bytes: number }): void => {
    if (file === 'model.safetensors' && bytes > 100) server.breakOff();
  };
  await refusal(fetchFromHub('hub:owner/name', options({ onProgress })));
  server.cutAfter = undefined;
}

describe('a token', () => {
  test('is not sent to another host that files or lists come from', async () => {
    await open(FILES);
    const other = new HubServer(FILES);
    const elsewhere = (await other.start()).replace('127.0.0.1', 'localhost');
    const [first, ...rest] = Object.entries(FILES).map(([path, content]) => entry(path, Buffer.from(content)));
    server.requiredToken = TOKEN;
    server.instead = (request, response) => {
      if (isWeights(request)) return status(response, 302, { location: `${elsewhere}${request.url}` });
      return isList(request) && json(response, [first], { link: `<${elsewhere}/api/more>; rel="next"` });
    };
    other.instead = ({ url }, response) => url === '/api/more' && json(response, rest);
    try {
      await fetchFromHub('hub:owner/name', options({ token: TOKEN }));
      expect(await readFile(weights(), 'utf8')).toBe(FILES['model.safetensors']);
      expect(other.requests.map(({ url, token }) => [url.split('/').at(-1), token])).toEqual([
        ['more', undefined],
        ['model.safetensors', undefined],
      ]);
      expect(server.requests.every(({ token }) => token === `Bearer ${TOKEN}`)).toBe(true);
    } finally {
      await other.stop();
    }
  });
});

describe('a server that', () => {
  test('gives no such part is asked for the whole', async () => {
    await open(FILES);
    await breakOff();
    server.instead = ({ headers }, response) => headers.range !== undefined && status(response, 416);
    await fetchFromHub('hub:owner/name', options());
    expect(await readFile(weights(), 'utf8')).toBe(FILES['model.safetensors']);
  });

  const PAGE = '<!doctype html><title>Sign in</title>';
  test.each<[string, string, Answer]>([
    [
      'a page',
      'text/html',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-length': PAGE.length });
        response.end(PAGE);
        return true;
      },
    ],
    [
      'a page in pieces',
      'text/html',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'text/html' });
        response.write(PAGE);
        response.end();
        return true;
      },
    ],
    [
      'a pointer',
      'another size',
      (_, response) => {
        response.writeHead(200, { 'content-length': 40 });
        response.end('version https://git-lfs.github.com/spec/'.slice(0, 40));
        return true;
      },
    ],
    [
      'a part of a larger file',
      'another size',
      (_, response) => {
        response.writeHead(206, { 'content-range': 'bytes 2000-2003/9000' });
        response.end('wwww');
        return true;
      },
    ],
  ])(
    'sends %s in place of weights is told apart before anything is written; what has come is kept',
    async (_, words, answer) => {
      await open(FILES);
      await breakOff();
      server.instead = (request, response) => isWeights(request) && answer(request, response);
      const error = await refusal(fetchFromHub('hub:owner/name', options()));
      expect(error).toMatchObject({ code: 'NETWORK_FAILURE', details: { file: 'model.safetensors', reason: 'other' } });
      expect(error.message).toContain(words);
      server.instead = undefined;
      await fetchFromHub('hub:owner/name', options());
      expect(server.requests.at(-1)?.range).toMatch(/^bytes=[1-9]/);
      expect(await readFile(weights(), 'utf8')).toBe(FILES['model.safetensors']);
    },
  );

  test.each([
    [401, 'INVALID_ARGUMENT', 'HF_TOKEN'],
    [403, 'INVALID_ARGUMENT', 'HF_TOKEN'],
    [404, 'INVALID_ARGUMENT', 'the name and the revision'],
    [429, 'NETWORK_FAILURE', 'wait some minutes'],
    [500, 'NETWORK_FAILURE', 'The server is in trouble'],
    [503, 'NETWORK_FAILURE', 'The server is in trouble'],
    [418, 'NETWORK_FAILURE', 'Check the connection'],
  ])('answers %i, to whatever is asked, is %s', async (code, kind, words) => {
    await open(FILES);
    const isInfo = ({ url = '' }: IncomingMessage): boolean => url.includes('/revision/');
    for (const wanted of [isInfo, isList, isWeights]) {
      server.instead = (request, response) => wanted(request) && status(response, code);
      const error = await refusal(fetchAtPace(AT_ONCE, 'hub:owner/name', options()));
      expect(error).toMatchObject({ code: kind, details: { status: code } });
      expect(error.message).toContain(words);
    }
    server.instead = undefined;
    await fetchFromHub('hub:owner/name', options());
  });

  test.each([undefined, TOKEN])('says that a repository is gated is told to be, token: %s', async (token) => {
    await open(FILES);
    const { endpoint } = options();
    const headers = { 'x-error-code': 'GatedRepo' };
    server.instead = (request, response) => isWeights(request) && status(response, 403, headers);
    const error = await refusal(fetchFromHub('hub:owner/name', options({ token })));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { status: 403 } });
    expect(error.message).toContain(`accept its terms at ${endpoint}/owner/name`);
    expect(error.message).toContain('HF_TOKEN');
  });

  test('sends readers in a circle is told what failed', async () => {
    await open(FILES);
    server.instead = (request, response) =>
      isWeights(request) && status(response, 302, { location: request.url ?? '' });
    const error = await refusal(fetchFromHub('hub:owner/name', options()));
    expect(error).toMatchObject({ code: 'NETWORK_FAILURE', details: { reason: 'unreachable' } });
    expect(error.message).toContain('fetch failed (redirect count exceeded)');
  });

  const GOOD = entry('config.json', Buffer.from('{}'));
  test.each<[string, unknown]>([
    ['a page', '<html>'],
    ['no list', { error: 'x' }],
    ['null', null],
    ['a number', [7, null, 'x']],
    ['a size that is a text', [{ ...GOOD, size: '2' }]],
    ['a size below 0', [{ ...GOOD, size: -1 }]],
    ['a gigantic size', [{ ...GOOD, size: 1e300 }]],
    ['no digest', [{ ...GOOD, oid: undefined }]],
    ['a short digest of a large file', [{ ...GOOD, lfs: { oid: 'a'.repeat(40), size: 2 } }]],
    ['a digest that leads elsewhere', [{ ...GOOD, oid: '../x' }]],
  ])('lists %s is refused', async (_, list) => {
    await open(FILES);
    server.instead = (request, response) => isList(request) && json(response, list);
    const error = await refusal(fetchFromHub('hub:owner/name', options()));
    expect(['NETWORK_FAILURE', 'UNSUPPORTED_MODEL']).toContain(error.code);
  });

  test('says after each page that there is one more is not asked without end', async () => {
    await open(FILES);
    server.instead = (request, response) =>
      isList(request) && json(response, [], { link: `<${options().endpoint}${request.url}>; rel="next"` });
    const error = await refusal(fetchFromHub('hub:owner/name', options()));
    expect(error).toMatchObject({ code: 'NETWORK_FAILURE', details: { reason: 'answer' } });
    expect(server.requests.length).toBeLessThan(1_010);
  });
});

describe('a revision', () => {
  test.each(['v1.0+build.7', 'refs/pr/12', 'feature/a/b', 'fix#3', 'ветка', 'user@host'])(
    '%s is asked for as it is named',
    async (revision) => {
      await open(FILES);
      const asked: string[] = [];
      server.instead = ({ url = '' }, response) => {
        const [, name] = /\/revision\/([^?]+)/.exec(url) ?? [];
        if (name === undefined) return false;
        asked.push(decodeURIComponent(name));
        return json(response, { _id: '1', id: 'owner/name', sha: COMMIT });
      };
      const { folder } = await fetchFromHub(`hub:owner/name@${revision}`, options());
      expect(asked).toEqual([revision]);
      expect(await fetchFromHub(`hub:owner/name@${revision}`, options({ offline: true }))).toEqual({
        folder,
        commit: COMMIT,
      });
    },
  );

  test.each([
    '',
    '/a',
    'a..b',
    '-a',
    'a b',
    'a?b',
    'a:b',
    'a^',
    'a~1',
    'a\\b',
    'a*',
    'a[b',
    'a@{b',
    'a\n',
    'x'.repeat(300),
    'ж'.repeat(60),
  ])('%j is none', async (revision) => {
    await open(FILES);
    const error = await refusal(fetchFromHub(`hub:owner/name@${revision}`, options()));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(server.requests).toEqual([]);
  });
});

test('a file that other runs replace by the same while it is digested is whole', async () => {
  await open(FILES);
  const { folder } = await fetchFromHub('hub:owner/name', options());
  const content = Buffer.from(FILES['model.safetensors']);
  const [path, digest] = ['model.safetensors', { algorithm: 'sha256', hex: sha256(content) }] as const;
  const handle = await openFile(weights());
  const prototype = Object.getPrototypeOf(handle) as { read: (...given: unknown[]) => Promise<unknown> };
  await handle.close();
  const { read } = prototype;
  let replaced = 0;
  const spy = vi.spyOn(prototype, 'read').mockImplementation(async function (this: unknown, ...given: unknown[]) {
    if (replaced++ < 5) {
      await writeFile(`${weights()}.new`, content);
      await rename(`${weights()}.new`, weights());
    }
    return read.apply(this, given);
  });
  try {
    const state = await verifiedState(folder, { path, bytes: content.length, digest }, undefined, undefined);
    expect(state).toBeDefined();
    expect(replaced).toBeGreaterThan(5);
  } finally {
    spy.mockRestore();
  }
});

test('two downloads at once into one folder both give the whole', async () => {
  await open(FILES);
  const all = await Promise.all(Array.from({ length: 6 }, () => fetchFromHub('hub:owner/name', options())));
  expect(new Set(all.map(({ folder }) => folder)).size).toBe(1);
  expect(await readFile(weights(), 'utf8')).toBe(FILES['model.safetensors']);
  expect(await readdir(join(all[0].folder, '../../partial'))).toEqual([]);
  await fetchFromHub('hub:owner/name', options({ offline: true }));
});
