import { constants } from 'node:fs';
import { type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, invalidFolder, type RefusalDetails } from '../folder/refusal.js';
import { collectPieces, type FilePlace } from '../io/collect-pieces.js';

const CHUNK_BYTES = 1024 ** 2;

/** An open regular file of a folder, and its size at that time. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly bytes: number;
}

/**
 * Opens a regular file and never anything else: opening a pipe would wait for ever, a device may act on being opened.
 *
 * Without `links` no component below the folder may be a symbolic link. Throws `INVALID_MODEL_FOLDER`; close the handle.
 */
export async function openRegularFile(place: FilePlace, options: { readonly links: boolean }): Promise<OpenFile> {
  const { folder, file } = place;
  const segments = file.split('/');
  const refuse = (received: string, required: string, part: string = file): never => {
    throw invalidFolder(
      `${part} in ${folder} is ${received}, but it must be ${required}. Fetch or create the model again.`,
      { folder, file, received, required },
    );
  };
  try {
    for (let depth = 1; depth <= segments.length; depth++) {
      const part = segments.slice(0, depth).join('/');
      const status = options.links ? await stat(join(folder, part)) : await lstat(join(folder, part));
      if (status.isSymbolicLink()) refuse('a symbolic link', 'a plain file or folder', part);
      if (depth < segments.length && !status.isDirectory()) refuse('not a folder', 'a folder', part);
      if (depth === segments.length && !status.isFile()) {
        refuse(status.isDirectory() ? 'a folder' : 'a pipe, device or socket', 'a regular file');
      }
    }
    // The file may have been exchanged since: refuse links again, never wait, and look at what was opened.
    const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (options.links ? 0 : (constants.O_NOFOLLOW ?? 0));
    const handle = await open(join(folder, file), flags);
    try {
      const status = await handle.stat();
      if (!status.isFile()) refuse('not a regular file', 'a regular file');
      return { handle, bytes: status.size };
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw readFailure(error, place);
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
    throw readFailure(error, place);
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

function readFailure(error: unknown, place: FilePlace): unknown {
  const code = errorCode(error);
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error;
  const details: RefusalDetails = { ...place, received: code, required: 'a readable file' };
  const message =
    code === 'ENOENT'
      ? `${place.file} is missing from ${place.folder}. Fetch or create the model again.`
      : `${place.file} in ${place.folder} cannot be read (${code}). Check its permissions, or fetch the model again.`;
  return invalidFolder(message, details, error);
}
