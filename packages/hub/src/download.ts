import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { type HubAccess, type HubFile, refused } from './list-hub-files.js';

/** A file that is on its way. */
export interface Download {
  readonly file: HubFile;
  readonly repository: string;
  readonly commit: string;
  /** Where it is to lie in the end. */
  readonly target: string;
  /** Where parts of files are kept until they are whole. */
  readonly partial: string;
  readonly access: HubAccess;
  /** Is told the bytes there are, after each piece. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Downloads a file, going on where an earlier try ended, and puts it in its place once its size and digest are right.
 *
 * Throws `NETWORK_FAILURE`, `INVALID_ARGUMENT`, or the signal's reason; what has come is kept for the next try.
 */
export async function download(item: Download): Promise<void> {
  const { file, target, partial, access } = item;
  await mkdir(partial, { recursive: true });
  await mkdir(dirname(target), { recursive: true });
  const kept = join(partial, `${file.digest.hex}.incomplete`);
  // Renaming claims it: a second process finds none and begins its own.
  const own = join(partial, `${file.digest.hex}.${process.pid}.${Math.random().toString(36).slice(2)}`);
  await rename(kept, own).catch(() => undefined);
  try {
    await complete(item, own);
  } catch (error) {
    const isWrong = ForetokenError.isInstance(error) && error.details.reason === 'digest';
    await (isWrong ? rm(own, { force: true }) : rename(own, kept).catch(() => undefined));
    access.signal?.throwIfAborted();
    throw error;
  }
  await rename(own, target);
}

async function complete(item: Download, path: string): Promise<void> {
  const { file, repository, access, onBytes } = item;
  const { signal } = access;
  let hash = begin(file);
  let bytes = 0;
  let failure: unknown;
  const known = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (known > 0 && known <= file.bytes) {
    for await (const piece of createReadStream(path, signal === undefined ? {} : { signal })) {
      hash.update(piece as Uint8Array);
      bytes += (piece as Uint8Array).length;
    }
  }
  onBytes(bytes);
  if (bytes < file.bytes || file.bytes === 0) {
    const response = await ask(item, bytes);
    if (bytes > 0 && response.status !== 206) {
      // The server does not give parts.
      hash = begin(file);
      bytes = 0;
    }
    // A transfer that breaks off is told apart below: by what has come.
    const handle = await open(path, bytes === 0 ? 'w' : 'a');
    try {
      for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        bytes += piece.length;
        if (bytes > file.bytes) break;
        hash.update(piece);
        await handle.write(piece);
        onBytes(bytes);
      }
    } catch (cause) {
      signal?.throwIfAborted();
      failure = cause;
    } finally {
      await handle.close();
    }
  }
  const details = { repository, file: file.path, received: bytes, required: file.bytes };
  if (bytes < file.bytes) {
    const message = `${file.path} of ${repository} broke off after ${bytes} of ${file.bytes} bytes. Try again: what has come is kept.`;
    throw new ForetokenError('NETWORK_FAILURE', message, { ...details, reason: 'interrupted' }, { cause: failure });
  }
  if (bytes > file.bytes || hash.digest('hex') !== file.digest.hex) {
    const message = `${file.path} of ${repository} is not the file that the hub lists: its size or digest is another. Try again.`;
    throw new ForetokenError('NETWORK_FAILURE', message, { ...details, reason: 'digest' });
  }
}

async function ask({ file, repository, commit, access }: Download, from: number): Promise<Response> {
  const path = file.path.split('/').map(encodeURIComponent).join('/');
  const headers = new Headers();
  if (access.token !== undefined) headers.set('authorization', `Bearer ${access.token}`);
  if (from > 0) headers.set('range', `bytes=${from}-`);
  const { signal = null } = access;
  let response: Response;
  try {
    response = await fetch(`${access.endpoint}/${repository}/resolve/${commit}/${path}`, { headers, signal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw refused({ repository, revision: commit }, access, cause);
  }
  if (response.ok) return response;
  await response.body?.cancel();
  const cause = Object.assign(new Error(`${file.path}: status ${response.status}`), { statusCode: response.status });
  throw refused({ repository, revision: commit }, access, cause);
}

function begin({ digest, bytes }: HubFile): Hash {
  if (digest.algorithm === 'sha256') return createHash('sha256');
  // What git calls a blob: its size is part of what is digested.
  return createHash('sha1').update(`blob ${bytes}\0`);
}
