import { ForetokenError } from '@foretoken/core';
import { anything, callback, checkOptions, type OptionTable, text, withMethods, wrongValue } from '@foretoken/core/kit';
import { MANIFEST_FILE } from '../folder/manifest.js';
import { invalidFolder } from '../folder/refusal.js';
import { browserCache, cacheKey, type FileCache } from './file-cache.js';
import { type ModelIo, OPEN_OPTIONS, type OpenedFile } from './model-io.js';
import { interrupted, unreachable } from './network-errors.js';

/** What a request for a file is made with. */
export interface FetchInit {
  /** Servers are asked whether what is kept is still theirs. */
  readonly cache: 'no-cache';
  /** Stops the request. */
  readonly signal?: AbortSignal | undefined;
}

/** How the files of a folder are fetched. */
export interface FetchOptions {
  /** What makes the requests, for example with headers of your own; default: the global `fetch`. */
  readonly fetch?: ((url: string, init: FetchInit) => Promise<Response>) | undefined;
  /**
   * Keeps files by their digest, so that they are downloaded once; default: the `foretoken-files` cache of the page's origin, where the
   * Cache API is there. `false`: files are kept nowhere. A cache that fails or is full costs a download and nothing else.
   */
  readonly cache?: FileCache | false | undefined;
}

const readCache: (name: string, value: unknown) => FileCache = withMethods(
  'a cache, such as those of the browser, or false',
  'match',
  'put',
  'delete',
);
const OPTIONS: OptionTable<FetchOptions> = {
  fetch: callback(anything<Promise<Response>>),
  cache: (name, value) => value !== false && readCache(name, value),
};

/**
 * A model folder on a server, named by the `http:` or `https:` URL of the folder; a query is sent with every file.
 *
 * Opening a file throws `INVALID_MODEL_FOLDER` where the server has none or refuses it, and `NETWORK_FAILURE` where it cannot be
 * reached, fails or breaks off. Throws `INVALID_ARGUMENT` for another URL.
 */
export function fetchFolder(url: string | URL, options: FetchOptions = {}): ModelIo {
  const base = folderUrl(url);
  options = checkOptions('fetchFolder', options, OPTIONS);
  const request = options.fetch ?? ((address, init) => globalThis.fetch(address, init as RequestInit));
  const { cache = browserCache() } = options;
  // A query may hold a secret, and has no place in messages.
  const folder = `${base.origin}${base.pathname}`;
  const shown = (file: string): string => new URL(text('file', file), folder).href;

  const fromServer = async (file: string, signal: AbortSignal | undefined): Promise<OpenedFile> => {
    const address = shown(file);
    let response: Response;
    try {
      // A copy of the browser's own may be that of another model under the same name, and ours would be one too many.
      response = await request(`${address}${base.search}`, {
        cache: 'no-cache',
        signal,
      });
    } catch (cause) {
      signal?.throwIfAborted();
      throw unreachable(folder, file, address, cause);
    }
    if (!response.ok) {
      await response.body?.cancel().catch(() => undefined);
      throw refused(folder, file, address, response.status);
    }
    // What a server says of the length may be that of a compressed transfer.
    return bodyOf(response, (cause) => interrupted(folder, file, address, cause), signal);
  };

  return {
    folder,
    remote: true,
    pathOf: shown,
    async open(file, given = {}) {
      const { record, signal } = checkOptions('open', given, OPEN_OPTIONS);
      signal?.throwIfAborted();
      if (record === undefined || cache === false) return fromServer(file, signal);
      const key = cacheKey(record.sha256);
      const forget = async (): Promise<void> => void (await cache.delete(key).catch(() => false));
      const kept = await cache.match(key).catch(() => undefined);
      if (kept !== undefined) {
        const opened = bodyOf(kept, (cause) => interrupted(folder, file, key, cause), signal);
        return { ...opened, forget };
      }
      const keep = (content: Uint8Array): Promise<void> =>
        cache.put(key, new Response(content as Uint8Array<ArrayBuffer>)).catch(() => undefined);
      return { ...(await fromServer(file, signal)), keep };
    },
  };
}

function bodyOf(response: Response, broken: (cause: unknown) => Error, signal: AbortSignal | undefined): OpenedFile {
  const reader = response.body?.getReader();
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const { done, value } = await (reader?.read() ?? { done: true, value: undefined });
      if (done || value === undefined) return;
      yield value;
    }
  }
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* pieces();
    } catch (cause) {
      signal?.throwIfAborted();
      throw broken(cause);
    }
  }
  return { pieces: watched(), close: async () => void (await reader?.cancel().catch(() => undefined)) };
}

/** The folder's URL, which ends in a slash before its query. */
function folderUrl(url: string | URL): URL {
  let base: URL | undefined;
  try {
    base = new URL(url);
  } catch {
    base = undefined;
  }
  if (base === undefined || !/^https?:$/.test(base.protocol)) {
    throw wrongValue('url', base?.href ?? url, 'an http: or https: URL');
  }
  base.hash = '';
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return base;
}

/** What a status means: a file that is not there or not given out stays so, anything else may pass. */
function refused(folder: string, file: string, url: string, status: number): ForetokenError {
  const details = { folder, file, url, status, received: `HTTP ${status}` };
  if (status === 404 || status === 410) {
    const message =
      file === MANIFEST_FILE
        ? `There is no model folder at ${folder}: the server has no ${file} there (HTTP ${status}). Check the address.`
        : `${file} is missing from ${folder} (HTTP ${status}). Copy the whole model folder to the server.`;
    return invalidFolder(message, details);
  }
  if (status >= 400 && status < 500 && ![408, 425, 429].includes(status)) {
    return invalidFolder(
      `${file} in ${folder} is not given out by the server (HTTP ${status}). Check that the page may read it.`,
      details,
    );
  }
  return new ForetokenError(
    'NETWORK_FAILURE',
    `${file} in ${folder} could not be fetched: the server answered with HTTP ${status}. Try again later.`,
    { ...details, reason: 'status' },
  );
}
