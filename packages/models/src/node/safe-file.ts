import type { FileHandle } from 'node:fs/promises';
import { fileTrouble, NotThisKind, openRegular } from '@foretoken/core/node';
import { invalidFolder, type RefusalDetails } from '../folder/refusal.js';
import { collectPieces, type FilePlace } from '../io/collect-pieces.js';

const CHUNK_BYTES = 1024 ** 2;

/** Loaded where it is needed: a folder that is whole has no use for it. */
async function adviceFor(folder: string, file: string): Promise<string> {
  const there = await import('./what-lies-there.js');
  return there.adviceFor(folder, file);
}

/** An open regular file of a folder, and its size at that time. */
export interface OpenFile {
  /** The open file; whoever opened it closes it. */
  readonly handle: FileHandle;
  /** Its size. */
  readonly bytes: number;
}

/**
 * Opens a regular file and never anything else.
 *
 * Without `links` no component below the folder may be a symbolic link. Throws `INVALID_MODEL_FOLDER`; close the handle.
 */
export async function openRegularFile(place: FilePlace, options: { readonly links: boolean }): Promise<OpenFile> {
  try {
    return await openRegular(place, options);
  } catch (error) {
    throw await readFailure(error, place);
  }
}

/** Reads exactly the file's first `bytes` bytes in pieces. Throws `INVALID_MODEL_FOLDER` when there are fewer or more. */
export async function* readExactly(open: OpenFile, place: FilePlace): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(Math.min(CHUNK_BYTES, open.bytes + 1));
  let total = 0;
  try {
    for (;;) {
      const { bytesRead } = await open.handle.read(buffer, 0, buffer.length, total);
      total += bytesRead;
      if (total > open.bytes || (bytesRead === 0 && total < open.bytes)) {
        throw invalidFolder(
          `${place.file} in ${place.folder} changed while it was read. Make sure that nothing writes to the folder.`,
          { ...place, received: total, required: open.bytes },
        );
      }
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw await readFailure(error, place);
  }
}

/**
 * Reads a whole regular file of at most `max` bytes; its size is checked before memory is taken. Throws `INVALID_MODEL_FOLDER`, and
 * the signal's reason.
 */
export async function readRegularFile(
  place: FilePlace,
  options: { readonly links: boolean; readonly max: number; readonly signal?: AbortSignal | undefined },
): Promise<Uint8Array> {
  const open = await openRegularFile(place, options);
  try {
    const pieces = readExactly(open, place);
    return await collectPieces({ bytes: open.bytes, pieces }, place, options.max, () =>
      options.signal?.throwIfAborted(),
    );
  } finally {
    await open.handle.close();
  }
}

async function readFailure(error: unknown, place: FilePlace): Promise<unknown> {
  const { folder, file } = place;
  if (error instanceof NotThisKind) {
    const { part, received, required } = error;
    return invalidFolder(
      `${part} in ${folder} is ${received}, but it must be ${required}. Fetch or create the model again.`,
      { folder, file, received, required },
    );
  }
  const trouble = fileTrouble(error);
  if (trouble === undefined) return error;
  const details: RefusalDetails = { ...place, received: trouble.received, required: 'a readable file' };
  const message =
    trouble.received === 'ENOENT'
      ? `${file} is missing from ${folder}. ${await adviceFor(folder, file)}`
      : `${file} in ${folder} ${trouble.words}, so it cannot be read. Check the path and its permissions, or fetch the model again.`;
  return invalidFolder(message, details, error);
}
