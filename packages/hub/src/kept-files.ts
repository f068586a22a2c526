import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { fileTrouble, NotThisKind, openRegular } from '@foretoken/core/node';
import type { HubFile } from './list-hub-files.js';

const PIECE_BYTES = 1024 ** 2;
/** Far more than there are runs that put the same file in its place while it is digested. */
const MAX_LOOKS = 100;

/** What tells a file from a changed one without reading it: inode, size, time of the content, time of the inode. */
export async function stateOf(handle: FileHandle): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await handle.stat({ bigint: true });
  return [ino, size, mtimeNs, ctimeNs].join();
}

/** Begins a digest as the hub lists it. */
export function beginDigest({ digest, bytes }: HubFile): Hash {
  if (digest.algorithm === 'sha256') return createHash('sha256');
  // What git calls a blob: its size is part of what is digested.
  return createHash('sha1').update(`blob ${bytes}\0`);
}

/** Digests a file from its beginning on, and gives how many bytes it had. Throws the signal's reason. */
export async function digestInto(hash: Hash, handle: FileHandle, signal: AbortSignal | undefined): Promise<number> {
  const piece = new Uint8Array(PIECE_BYTES);
  for (let total = 0; ; ) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(piece, 0, piece.length, total);
    if (bytesRead === 0) return total;
    hash.update(piece.subarray(0, bytesRead));
    total += bytesRead;
  }
}

/**
 * The state of a file of a snapshot that is as the hub lists it; undefined for one that is missing or another. It is digested,
 * unless its state is `known`, that of an earlier digest. Throws what system calls throw, and the signal's reason.
 */
export async function verifiedState(
  folder: string,
  file: HubFile,
  known: string | undefined,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    const opened = await openKept(folder, file);
    if (opened === undefined) return undefined;
    const { handle, bytes } = opened;
    try {
      const before = await stateOf(handle);
      if (before === known) return before;
      if (bytes !== file.bytes) return undefined;
      const hash = beginDigest(file);
      await digestInto(hash, handle, signal);
      if (hash.digest('hex') !== file.digest.hex) return undefined;
      if ((await stateOf(handle)) === before) return before;
    } finally {
      await handle.close();
    }
    // Another run has put the same file in its place meanwhile, which is to be looked at.
  }
  return undefined;
}

/** Undefined where there is nothing, or something in its place that a file can take the place of. */
async function openKept(folder: string, { path }: HubFile) {
  try {
    return await openRegular({ folder, file: path }, { links: false });
  } catch (error) {
    if (error instanceof NotThisKind && error.part === path && error.received !== 'a folder') return undefined;
    if (fileTrouble(error)?.received === 'ENOENT') return undefined;
    throw error instanceof NotThisKind ? inFolder(folder, error) : error;
  }
}

/** The same, naming the whole path. */
function inFolder(folder: string, { part, received, required }: NotThisKind): NotThisKind {
  return new NotThisKind(join(folder, part), received, required);
}
