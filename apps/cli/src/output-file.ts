import { constants } from 'node:fs';
import { type FileHandle, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { thrownWords } from '@foretoken/core/kit';
import { fileTrouble, kindOf, NotThisKind, openRegular, shownPath } from '@foretoken/core/node';
import { usageError } from './errors.js';

/** A file that an option names to be written, as it was before: its bytes, 0 where there is none. */
export interface Target {
  readonly bytes: number;
}

/**
 * Looks at the file that `--option` names without changing it. Throws `INVALID_ARGUMENT` for what is no file, for what cannot be
 * one, and for a file that another option reads.
 */
export async function examineTarget(
  option: string,
  path: string,
  inputs: Readonly<Record<string, string | undefined>> = {},
): Promise<Target> {
  if (path === '') throw usageError(`--${option} is empty; the path of a file is required.`, { option });
  const status = await statusOf(option, path);
  if (status === undefined) {
    const folder = await statusOf(option, dirname(path));
    if (folder?.isDirectory() === true) return { bytes: 0 };
    throw notWritable(option, path, new NotThisKind(path, 'below what is no folder', 'in a folder that exists'));
  }
  if (!status.isFile()) {
    throw usageError(`--${option} ${shownPath(path)} is ${kindOf(status)}. Name a file, or a new one.`, {
      option,
      received: kindOf(status),
    });
  }
  for (const [other, input] of Object.entries(inputs)) {
    const read = input === undefined ? undefined : await stat(input).catch(() => undefined);
    if (read === undefined || read.ino !== status.ino || read.dev !== status.dev) continue;
    throw usageError(`--${option} ${shownPath(path)} is the file that --${other} reads. Name another one.`, { option });
  }
  return { bytes: status.size };
}

/** Opens it for writing, and makes it where it is not there. Throws `INVALID_ARGUMENT`. */
export async function openTarget(option: string, path: string): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_CREAT;
  try {
    const place = { folder: dirname(path), file: basename(path) };
    return (await openRegular(place, { links: true, flags })).handle;
  } catch (error) {
    throw notWritable(option, path, error);
  }
}

/** An `INVALID_ARGUMENT` error about a file that cannot be written. */
export function notWritable(option: string, path: string, error: unknown): Error {
  return usageError(`--${option} ${shownPath(path)} cannot be written: ${whyNot(error)}.`, {
    option,
    received: fileTrouble(error)?.received,
  });
}

/** What is wrong with a file, after "it cannot be read" or "written". */
export function whyNot(error: unknown): string {
  const trouble = fileTrouble(error);
  if (trouble !== undefined) return `it ${trouble.words}`;
  return thrownWords(error);
}

async function statusOf(option: string, path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (fileTrouble(error)?.received === 'ENOENT') return undefined;
    throw notWritable(option, path, error);
  }
}
