import { constants } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { fileTrouble, NotThisKind, readSmallFile, shownPath } from '@foretoken/core/node';
import { COMMIT } from './hub-location.js';

/** A commit, and blanks that an editor may have left. */
const REFERENCE_BYTES = 256;

/** The folder of downloads that nobody named. Throws `INVALID_ARGUMENT` where the system tells none. */
export function usualCacheFolder(env: NodeJS.ProcessEnv): string {
  const { FORETOKEN_CACHE: own, XDG_CACHE_HOME: caches, LOCALAPPDATA: local } = env;
  if (own) return join(resolve(own), 'hub');
  // By its specification a relative one is to be left alone.
  if (caches && isAbsolute(caches)) return join(caches, 'foretoken', 'hub');
  if (process.platform === 'win32' && local) return join(local, 'foretoken', 'hub');
  return join(homeFolder(), '.cache', 'foretoken', 'hub');
}

function homeFolder(): string {
  let home = '';
  try {
    home = homedir();
  } catch {
    // A user without an entry, as in some containers.
  }
  if (isAbsolute(home)) return home;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    'This user has no home folder to keep downloads in. Name a folder in the environment variable FORETOKEN_CACHE, or as cacheFolder.',
    { option: 'cacheFolder', received: home, required: 'a folder for downloads' },
  );
}

/** The commit that a revision named when it was last asked for; undefined where it never was. Throws what system calls throw. */
export async function readReference(root: string, revision: string): Promise<string | undefined> {
  const place = { folder: root, file: `refs/${encodeURIComponent(revision)}` };
  let text: string | undefined;
  try {
    text = await readSmallFile(place, REFERENCE_BYTES, { links: false });
  } catch (error) {
    if (fileTrouble(error)?.received === 'ENOENT') return undefined;
    throw error instanceof NotThisKind
      ? new NotThisKind(join(root, error.part), error.received, error.required)
      : error;
  }
  const commit = text?.trim();
  return commit !== undefined && COMMIT.test(commit) ? commit : undefined;
}

/** Remembers which commit a revision names; a cache that cannot be written to remembers what it did. */
export async function writeReference(root: string, revision: string, commit: string): Promise<void> {
  if ((await readReference(root, revision).catch(() => undefined)) === commit) return;
  await replaceFile(join(root, 'refs', encodeURIComponent(revision)), commit);
}

/** Writes a small file whole: by a name of its own and one rename, whatever else writes there, or lies in its place. */
export async function replaceFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const own = ownName(`${path}.new`);
  try {
    const handle = await open(own, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(own, path);
  } catch (error) {
    await rm(own, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** A name that no other run takes. */
function ownName(path: string): string {
  return `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
}

/** A failure of the file system as an error that says where and what to do; anything else as it is. */
export function diskError(error: unknown, root: string): unknown {
  const trouble = ForetokenError.isInstance(error) ? undefined : fileTrouble(error);
  if (trouble === undefined) return error;
  const { words, received, isOfThePath } = trouble;
  const { path = root } = error instanceof NotThisKind ? { path: error.part } : (error as NodeJS.ErrnoException);
  const remedy = isOfThePath
    ? 'Mend or delete it, or name another folder in FORETOKEN_CACHE or as cacheFolder.'
    : 'Once that is mended, load it again: what has come is kept.';
  return new ForetokenError(
    isOfThePath ? 'INVALID_ARGUMENT' : 'RUNTIME_FAILURE',
    `Downloads of the hub are kept in ${shownPath(root)}, but ${shownPath(path)} ${words}. ${remedy}`,
    { option: 'cacheFolder', path, received, required: 'a folder that files can be written to' },
    { cause: error },
  );
}
