import { ForetokenError } from '@foretoken/core';
import { thrownWords } from '@foretoken/core/kit';
import { listFiles, modelInfo } from '@huggingface/hub';
import { COMMIT, type HubLocation } from './hub-location.js';

/** A file of a repository: where it is, its size in bytes, and the digest that its content must have. */
export interface HubFile {
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 of large files; of others the SHA-1 that git gives them, which covers the size too. */
  readonly digest: { readonly algorithm: 'sha256' | 'git'; readonly hex: string };
}

/** How the hub is reached. */
export interface HubAccess {
  readonly endpoint: string;
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Far above any model repository. */
const MAX_FILES = 20_000;
/** A server that says after each answer that there is more would be asked without end. */
const MAX_PAGES = 1000;
/** Parts of a path that no file system reads as something else. */
const PLAIN = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.+ ()[\]{}=@,~'!#&;$%^-]{0,199}(?<![. ])$|^\.[A-Za-z0-9_][\w.-]{0,99}$/u;

const SHA1 = /^[0-9a-f]{40}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** Whether a path leads nowhere but below the folder it is put in. */
export function isPlainPath(path: string): boolean {
  return path.split('/').every((part) => PLAIN.test(part));
}

/** The commit that a revision names now. Throws `NETWORK_FAILURE`, `INVALID_ARGUMENT`. */
export async function commitOf(location: HubLocation, access: HubAccess): Promise<string> {
  const { repository, revision } = location;
  if (COMMIT.test(revision)) return revision;
  const info = await asked(location, access, () =>
    modelInfo({ name: repository, revision, additionalFields: ['sha'], ...params(access) }),
  );
  if (typeof info.sha === 'string' && COMMIT.test(info.sha)) return info.sha;
  throw broken(location, access, `it says that ${revision} is ${JSON.stringify(info.sha)}, which is no commit`);
}

/** Every file of a commit. Throws `NETWORK_FAILURE`, `INVALID_ARGUMENT`. */
export async function listHubFiles(location: HubLocation, commit: string, access: HubAccess): Promise<HubFile[]> {
  return asked(location, access, async () => {
    const files: HubFile[] = [];
    const repo = { type: 'model', name: location.repository } as const;
    const tooMany = (): ForetokenError => broken(location, access, `its list has more than ${MAX_PAGES} pages`);
    for await (const entry of listFiles({ repo, revision: commit, recursive: true, ...params(access, tooMany) })) {
      if (entry?.type !== 'file') continue;
      if (files.length === MAX_FILES) throw broken(location, access, `it lists more than ${MAX_FILES} files`);
      const { path, size, oid, lfs } = entry;
      if (typeof path !== 'string' || !isPlainPath(path)) continue;
      const [algorithm, hex, form] = lfs ? (['sha256', lfs.oid, SHA256] as const) : (['git', oid, SHA1] as const);
      if (typeof hex !== 'string' || !form.test(hex)) throw broken(location, access, `it gives no digest of ${path}`);
      const bytes = lfs?.size ?? size;
      if (!Number.isSafeInteger(bytes) || bytes < 0) throw broken(location, access, `it gives no size of ${path}`);
      files.push({ path, bytes, digest: { algorithm, hex } });
    }
    return files;
  });
}

function params({ endpoint, token, signal }: HubAccess, tooMany?: () => ForetokenError) {
  const { origin } = new URL(endpoint);
  let pages = 0;
  const own: typeof fetch = async (input, init) => {
    if (tooMany !== undefined && ++pages > MAX_PAGES) throw tooMany();
    const headers = new Headers(init?.headers);
    // The next page of a list lies where the server says: not all that it names may hear the token.
    const isOwn = new URL(input instanceof Request ? input.url : input).origin === origin;
    if (token !== undefined && isOwn) headers.set('authorization', `Bearer ${token}`);
    return fetch(input, { ...init, headers, signal: signal ?? null });
  };
  return { hubUrl: endpoint, fetch: own };
}

async function asked<Result>(location: HubLocation, access: HubAccess, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (cause) {
    access.signal?.throwIfAborted();
    if (ForetokenError.isInstance(cause)) throw cause;
    throw refused(location, access, cause);
  }
}

/** What an answer that is none means. */
export function refused(
  { repository, revision }: HubLocation,
  { endpoint, token }: HubAccess,
  cause: unknown,
): ForetokenError {
  const status = (cause as { readonly statusCode?: unknown } | null)?.statusCode;
  const details = { repository, revision, endpoint, status: typeof status === 'number' ? status : null };
  if (status === 401 || status === 403 || status === 404) {
    const remedy =
      token === undefined
        ? 'Check the name and the revision; a private or gated repository needs a token (environment variable HF_TOKEN).'
        : 'Check the name, the revision, and that the token may read it.';
    return new ForetokenError(
      'INVALID_ARGUMENT',
      `${repository} at ${revision} is not to be had from ${endpoint} (status ${status}). ${remedy}`,
      {
        ...details,
        option: 'location',
        received: `hub:${repository}@${revision}`,
        required: 'a model repository that can be read',
      },
      { cause },
    );
  }
  return new ForetokenError(
    'NETWORK_FAILURE',
    `${endpoint} could not be asked for ${repository}: ${thrownWords(cause)}. ${remedyFor(status, token)}, or load what was kept with HF_HUB_OFFLINE=1.`,
    { ...details, reason: typeof status === 'number' ? 'status' : 'unreachable' },
    { cause },
  );
}

/** What helps where a server answers, but not now. */
function remedyFor(status: unknown, token: string | undefined): string {
  if (status === 429) {
    const more = token === undefined ? '; with a token (environment variable HF_TOKEN) it may be asked more often' : '';
    return `It was asked too often: wait some minutes and try again${more}`;
  }
  if (typeof status === 'number' && status >= 500) return 'The server is in trouble: try again later';
  return 'Check the connection and try again';
}

function broken({ repository }: HubLocation, { endpoint }: HubAccess, what: string): ForetokenError {
  return new ForetokenError('NETWORK_FAILURE', `${endpoint} gives no usable answer about ${repository}: ${what}.`, {
    repository,
    endpoint,
    reason: 'answer',
  });
}
