import { ForetokenError } from '@foretoken/core';
import { listFiles, modelInfo } from '@huggingface/hub';
import { askHub, type HubAccess } from './ask-hub.js';
import { COMMIT, type HubLocation } from './hub-location.js';
import { refused } from './hub-refusal.js';

/** A file of a repository: where it is, its size in bytes, and the digest that its content must have. */
export interface HubFile {
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 of large files; of others the SHA-1 that git gives them, which covers the size too. */
  readonly digest: { readonly algorithm: 'sha256' | 'git'; readonly hex: string };
}

/** Far above any model repository. */
const MAX_FILES = 20_000;
/** Bytes of all answers to one question: twice what so many files take. What reads them holds each whole. */
const MAX_ANSWER_BYTES = 16 * 1024 ** 2;
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
    modelInfo({ name: repository, revision, additionalFields: ['sha'], ...params(location, access) }),
  );
  if (typeof info.sha === 'string' && COMMIT.test(info.sha)) return info.sha;
  throw broken(location, access, `it says that ${revision} is ${JSON.stringify(info.sha)}, which is no commit`);
}

/** Every file of a commit. Throws `NETWORK_FAILURE`, `INVALID_ARGUMENT`. */
export async function listHubFiles(location: HubLocation, commit: string, access: HubAccess): Promise<HubFile[]> {
  return asked(location, access, async () => {
    const files: HubFile[] = [];
    const repo = { type: 'model', name: location.repository } as const;
    for await (const entry of listFiles({ repo, revision: commit, recursive: true, ...params(location, access) })) {
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

/** What the library asks with: its answers, pages of one list, are so many and so long at most. */
function params(location: HubLocation, access: HubAccess) {
  let [pages, bytes] = [0, 0];
  const own: typeof fetch = async (input, init) => {
    if (++pages > MAX_PAGES) throw broken(location, access, `its list has more than ${MAX_PAGES} pages`);
    const response = await askHub(input, init, access);
    const { body, status, headers } = response;
    if (body === null) return response;
    const counted = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform: (piece, controller) => {
        bytes += piece.length;
        if (bytes > MAX_ANSWER_BYTES) {
          throw broken(location, access, `it is longer than ${MAX_ANSWER_BYTES} bytes`);
        }
        controller.enqueue(piece);
      },
    });
    return new Response(body.pipeThrough(counted), { status, headers });
  };
  return { hubUrl: access.endpoint, fetch: own };
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

function broken({ repository }: HubLocation, { endpoint }: HubAccess, what: string): ForetokenError {
  return new ForetokenError('NETWORK_FAILURE', `${endpoint} gives no usable answer about ${repository}: ${what}.`, {
    repository,
    endpoint,
    reason: 'answer',
  });
}
