import { constants } from 'node:fs';
import { type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { assertInteger } from '../kit/checks.js';
import { flag, integer, text } from '../kit/options.js';
import { readingOf } from '../kit/typed-arrays.js';
import { kindOf, NotThisKind } from './file-trouble.js';

/** Flags of `open` for what may be anything: it never waits for the other end of a pipe, and takes no terminal for its own. */
export const WITHOUT_WAITING: number = (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/** Larger files are not small. */
const MAX_SMALL = 2 ** 30;

const MAX_FLAGS = 2 ** 31 - 1;

/** A file below a folder, its parts joined by `/`. */
export interface PlaceOfFile {
  /** Its folder, for messages. */
  readonly folder: string;
  /** Its name in the folder. */
  readonly file: string;
}

/** An open regular file, and its size at that time. */
export interface OpenRegularFile {
  /** The open file; whoever opened it closes it. */
  readonly handle: FileHandle;
  /** Its size. */
  readonly bytes: number;
}

/** How a file is opened. */
export interface OpenRegularOptions {
  /** Whether parts below the folder may be symbolic links. */
  readonly links: boolean;
  /** Flags of `open` (default: for reading). With `O_CREAT` the file itself need not be there; do not give `O_TRUNC`. */
  readonly flags?: number | undefined;
}

/**
 * Opens a regular file and never anything else: opening a pipe would wait for ever, a device may act on being opened.
 *
 * Throws `NotThisKind` and what system calls throw, which `fileTrouble` puts into words; whoever calls closes the handle.
 */
export async function openRegular(place: PlaceOfFile, options: OpenRegularOptions): Promise<OpenRegularFile> {
  const { folder, file, links, flags } = readingOf('place', place, 'a folder and a file, with options', () => ({
    folder: text('folder', place.folder),
    file: text('file', place.file),
    links: flag('links', options.links),
    flags: options.flags === undefined ? constants.O_RDONLY : integer(0, MAX_FLAGS)('flags', options.flags),
  }));
  const look = links ? stat : lstat;
  const segments = file.split('/');
  for (let depth = 1; depth <= segments.length; depth++) {
    const part = segments.slice(0, depth).join('/');
    const isLast = depth === segments.length;
    const status = await look(join(folder, part)).catch((error: unknown) => {
      if (isLast && (flags & constants.O_CREAT) !== 0 && (error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    });
    if (status?.isSymbolicLink()) throw new NotThisKind(part, kindOf(status), 'a plain file or folder');
    if (!isLast && !status?.isDirectory()) throw new NotThisKind(part, 'not a folder', 'a folder');
    if (isLast && status?.isFile() === false) throw new NotThisKind(part, kindOf(status), 'a regular file');
  }
  // It may have been exchanged since: refuse links again, never wait, and look at what was opened.
  const noLinks = links ? 0 : (constants.O_NOFOLLOW ?? 0);
  const handle = await open(join(folder, file), flags | WITHOUT_WAITING | noLinks);
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw new NotThisKind(file, kindOf(status), 'a regular file');
    return { handle, bytes: status.size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The text of a small regular file; more than `maxBytes` bytes are `undefined`. Throws as `openRegular` does. */
export async function readSmallFile(
  place: PlaceOfFile,
  maxBytes: number,
  options: OpenRegularOptions,
): Promise<string | undefined> {
  assertInteger('maxBytes', maxBytes, 0, MAX_SMALL);
  const { handle, bytes } = await openRegular(place, options);
  try {
    if (bytes > maxBytes) return undefined;
    const buffer = Buffer.alloc(maxBytes + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
      length += bytesRead;
      if (bytesRead === 0 || length > maxBytes) break;
    }
    return length > maxBytes ? undefined : buffer.toString('utf8', 0, length);
  } finally {
    await handle.close();
  }
}
