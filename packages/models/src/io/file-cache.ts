/** What keeps fetched files between loads: a `Cache` of the browser, or anything like it. */
export interface FileCache {
  /** The kept response; undefined where there is none. */
  match(url: string): Promise<Response | undefined>;
  /** Keeps a response. */
  put(url: string, response: Response): Promise<void>;
  /** Forgets a response; whether there was one. */
  delete(url: string): Promise<boolean>;
}

/** Name of the cache among those of the origin; `caches.delete` of it frees its space. */
const CACHE_NAME = 'foretoken-files';

/** A cache takes only URLs as keys, and this host cannot exist. */
export const cacheKey = (sha256: string): string => `https://foretoken.invalid/sha256/${sha256}`;

/** The origin's cache for model files; false where there is none, as outside browsers and in insecure contexts. */
export function browserCache(): FileCache | false {
  const { caches } = globalThis as { caches?: { open(name: string): Promise<FileCache> } | undefined };
  if (typeof caches?.open !== 'function') return false;
  let cache: Promise<FileCache> | undefined;
  const opened = (): Promise<FileCache> => {
    cache ??= caches.open(CACHE_NAME);
    return cache;
  };
  return {
    match: async (url) => (await opened()).match(url),
    put: async (url, response) => (await opened()).put(url, response),
    delete: async (url) => (await opened()).delete(url),
  };
}
