import { constants } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { NotThisKind, type OpenRegularFile, openRegular } from '@foretoken/core/node';
import { askHub, type HubAccess, HubStatus } from './ask-hub.js';
import { refused } from './hub-refusal.js';
import { beginDigest, digestInto, stateOf, verifiedState } from './kept-files.js';
import type { HubFile } from './list-hub-files.js';
import { claimPart, keptPart, ownPart } from './partial-files.js';

/** A file that is on its way. */
export interface Download {
  readonly file: HubFile;
  readonly repository: string;
  readonly commit: string;
  /** The snapshot that it is to lie in. */
  readonly folder: string;
  /** Where parts of files are kept until they are whole. */
  readonly partial: string;
  readonly access: HubAccess;
  /** Is told the bytes there are, after each piece. */
  readonly onBytes: (bytes: number) => void;
}

const CREATE = constants.O_RDWR | constants.O_CREAT;

/**
 * Downloads a file, going on where an earlier try ended, and puts it in its place once its size and digest are right; gives its
 * state then.
 *
 * Throws `NETWORK_FAILURE`, `INVALID_ARGUMENT`, what system calls throw, or the signal's reason; what has come is kept for the next try.
 */
export async function download(item: Download): Promise<string> {
  const { file, folder, partial, access } = item;
  const target = join(folder, file.path);
  await mkdir(partial, { recursive: true });
  await mkdir(dirname(target), { recursive: true });
  const kept = keptPart(partial, file);
  const own = await ownPart(partial, file);
  await claimPart(partial, file, own);
  let state: string;
  try {
    const opened = await openPart(own);
    try {
      await complete(item, opened);
      await opened.handle.sync();
      state = await stateOf(opened.handle);
    } finally {
      await opened.handle.close();
    }
    await rename(own, target);
  } catch (error) {
    const isWrong = ForetokenError.isInstance(error) && error.details.reason === 'digest';
    await (isWrong ? rm(own, { force: true }) : rename(own, kept)).catch(() => undefined);
    access.signal?.throwIfAborted();
    throw error;
  }
  return (await movedState(item, state)) ?? throwBroken(item, file.bytes);
}

/** The state of a file in its place, which was `before` where it was written: moving it changes the inode's time alone. */
async function movedState({ folder, file, access }: Download, before: string): Promise<string | undefined> {
  const { handle } = await openRegular({ folder, file: file.path }, { links: false });
  const state = await stateOf(handle).finally(() => handle.close());
  const isSame = state.split(',').slice(0, 3).join() === before.split(',').slice(0, 3).join();
  return isSame ? state : verifiedState(folder, file, undefined, access.signal);
}

/** Opens a part for reading and writing; what is no file makes room for one. */
async function openPart(path: string): Promise<OpenRegularFile> {
  const place = { folder: dirname(path), file: path.slice(dirname(path).length + 1) };
  try {
    return await openRegular(place, { links: false, flags: CREATE });
  } catch (error) {
    if (!(error instanceof NotThisKind)) throw error;
    await rm(path, { recursive: true, force: true });
    return openRegular(place, { links: false, flags: CREATE });
  }
}

async function complete(item: Download, { handle, bytes: there }: OpenRegularFile): Promise<void> {
  const { file, repository, access, onBytes } = item;
  const { signal } = access;
  let hash = beginDigest(file);
  let bytes = 0;
  if (there > file.bytes) await handle.truncate(0);
  else bytes = await digestInto(hash, handle, signal);
  onBytes(bytes);
  let failure: unknown;
  if (bytes < file.bytes || file.bytes === 0) {
    const response = await ask(item, bytes);
    if (isOther(response, file)) {
      await response.body?.cancel();
      throwOther(item, response);
    }
    if (bytes > 0 && response.status !== 206) {
      // The server does not give parts.
      hash = beginDigest(file);
      bytes = 0;
      await handle.truncate(0);
    }
    const pieces = arriving(response, signal, (cause) => {
      failure = cause;
    });
    for await (const piece of pieces) {
      if (bytes + piece.length > file.bytes) throwBroken(item, bytes + piece.length);
      hash.update(piece);
      await writeAll(handle, piece, bytes);
      bytes += piece.length;
      onBytes(bytes);
    }
  }
  if (bytes < file.bytes) {
    const message = `${file.path} of ${repository} broke off after ${bytes} of ${file.bytes} bytes. Try again: what has come is kept.`;
    const details = { repository, file: file.path, received: bytes, required: file.bytes, reason: 'interrupted' };
    throw new ForetokenError('NETWORK_FAILURE', message, details, { cause: failure });
  }
  if (hash.digest('hex') !== file.digest.hex) throwBroken(item, bytes);
}

function throwBroken({ file, repository }: Download, received: number): never {
  const message = `${file.path} of ${repository} is not the file that the hub lists: its size or digest is another. Try again.`;
  const details = { repository, file: file.path, received, required: file.bytes, reason: 'digest' };
  throw new ForetokenError('NETWORK_FAILURE', message, details);
}

/** Whether an answer says of itself that it is not the file: by its size, or as a page that tells no size. */
function isOther({ status, headers }: Response, file: HubFile): boolean {
  const isPacked = (headers.get('content-encoding') ?? 'identity') !== 'identity';
  const [, whole] = /\/(\d+)$/.exec(headers.get('content-range') ?? '') ?? [];
  const bytes = status === 206 ? whole : headers.get('content-length');
  return bytes === undefined || bytes === null || isPacked ? isPage(headers) : Number(bytes) !== file.bytes;
}

function isPage(headers: Headers): boolean {
  return /^text\/html/i.test(headers.get('content-type') ?? '');
}

/** What has come of the file so far is kept. */
function throwOther({ file, repository, access }: Download, { headers }: Response): never {
  const what = isPage(headers)
    ? 'a page (text/html). Look at it in a browser: a proxy or a sign-in may be in between. Then try again'
    : 'a file of another size. Try again, or without a mirror';
  throw new ForetokenError(
    'NETWORK_FAILURE',
    `${file.path} of ${repository} is not what ${access.endpoint} sends: it sends ${what}.`,
    { repository, file: file.path, received: headers.get('content-type'), required: file.bytes, reason: 'other' },
  );
}

/** What comes of a body. A transfer that breaks off is told apart by what has come, and `onBreak` hears why. */
async function* arriving(
  { body }: Response,
  signal: AbortSignal | undefined,
  onBreak: (cause: unknown) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* (body ?? []) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    signal?.throwIfAborted();
    onBreak(cause);
  }
}

async function writeAll(handle: OpenRegularFile['handle'], piece: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < piece.length; ) {
    const { bytesWritten } = await handle.write(piece, done, piece.length - done, position + done);
    done += bytesWritten;
  }
}

/** The answer to a request for a file, from a byte on; whole where the server does not give such parts. */
async function ask(item: Download, from: number): Promise<Response> {
  const { file, repository, commit, access } = item;
  const path = file.path.split('/').map(encodeURIComponent).join('/');
  const headers = new Headers();
  if (from > 0) headers.set('range', `bytes=${from}-`);
  try {
    return await askHub(`${access.endpoint}/${repository}/resolve/${commit}/${path}`, { headers }, access);
  } catch (cause) {
    access.signal?.throwIfAborted();
    if (cause instanceof HubStatus && cause.statusCode === 416 && from > 0) return ask(item, 0);
    throw refused({ repository, revision: commit }, access, cause);
  }
}
