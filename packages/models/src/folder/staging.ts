import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { readRegularFile } from '../node/safe-file.js';
import { errorCode } from './refusal.js';
import { beginRun, endRun, parseOwner, type RunOwner, stateOf } from './run-owner.js';

const STAGING = 'foretoken-import';
const OWNER = 'owner.json';
const OWNER_BYTES = 4096;

/** A folder that one run alone writes to. It is a lock, too: there is one for each target. */
export interface Staging {
  readonly path: string;
  /** Throws `INVALID_ARGUMENT` unless this run still has the folder. */
  assertHeld(): Promise<void>;
  /** Removes the folder and what it holds. */
  release(): Promise<void>;
}

/** Where a target's staging folder lies: inside a folder that exists, beside one that does not. */
export interface StagingPlace {
  readonly folder: string;
  readonly name: string;
}

export const insideOf = (target: string): StagingPlace => ({ folder: target, name: `.${STAGING}` });
export const besideOf = (folder: string, name: string): StagingPlace => ({ folder, name: `.${name}.${STAGING}` });

/** What is to be done with a killed run's folder before it is removed. */
export type Recover = (leftOver: string) => Promise<void>;

/**
 * Takes the staging folder of a target. What killed runs left is given to `recover`, and removed.
 *
 * The folder appears with its owner's name in it, by one rename, so whoever finds it knows whose it is. Throws
 * `INVALID_ARGUMENT` while another run has it.
 */
export async function takeStaging(place: StagingPlace, recover: Recover): Promise<Staging> {
  const path = join(place.folder, place.name);
  const owner = await beginRun();
  try {
    while (!(await appear(path, owner))) await setAside(path);
    await sweepAside(place, recover);
  } catch (error) {
    endRun(owner);
    throw error;
  }
  return {
    path,
    assertHeld: async () => {
      if ((await ownerOf(path))?.run === owner.run) return;
      throw new ForetokenError('INVALID_ARGUMENT', `Another import took ${path} away. Import again.`, {
        option: 'target',
        received: path,
      });
    },
    release: async () => {
      try {
        await discard(path);
      } finally {
        endRun(owner);
      }
    },
  };
}

/** Removes what killed runs left of a staging folder that this run does not need itself. */
export async function sweepStaging(place: StagingPlace): Promise<void> {
  const path = join(place.folder, place.name);
  const owner = await ownerOf(path);
  if (owner !== undefined && (await stateOf(owner)) === 'ended') await discard(path);
  await sweepAside(place, async () => undefined);
}

/** Puts a folder with its owner's name at `path`; false where there is one already. */
async function appear(path: string, owner: RunOwner): Promise<boolean> {
  const own = aside(path);
  await mkdir(own);
  try {
    await writeFile(join(own, OWNER), JSON.stringify(owner), { flag: 'wx' });
    // A folder takes the place of nothing or of an empty folder, never of one with a name in it.
    await rename(own, path);
    return true;
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    // Before it had a name in it, another run may have taken it for one that was left over.
    if (errorCode(error) === 'ENOENT' || (await isThere(path))) return false;
    throw error;
  }
}

/** Moves a killed run's staging folder out of the way. Throws `INVALID_ARGUMENT` when it may be in use. */
async function setAside(path: string): Promise<void> {
  if (!(await isThere(path))) return;
  const owner = await ownerOf(path);
  const state = owner === undefined ? 'unknown' : await stateOf(owner);
  if (owner === undefined || state !== 'ended') {
    if (!(await isThere(path))) return;
    const who = owner === undefined ? 'import' : `import (process ${owner.pid})`;
    const what = state === 'at work' ? 'is writing' : 'may be writing';
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `Another ${who} ${what} to this target. Wait for it, or remove ${path} if it is no longer at work.`,
      { option: 'target', received: path },
    );
  }
  const moved = aside(path);
  try {
    await rename(path, moved);
  } catch (error) {
    // Another run was faster.
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  // Another run may have taken the place in between.
  if ((await ownerOf(moved))?.run !== owner.run) await rename(moved, path);
}

/** Removes folders that were set aside, or never had an owner's name in them. */
async function sweepAside(place: StagingPlace, recover: Recover): Promise<void> {
  // Where names may not be listed, what is left over stays.
  const names = await readdir(place.folder).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(`${place.name}-`)) continue;
    const path = join(place.folder, name);
    const owner = await ownerOf(path);
    if (owner !== undefined && (await stateOf(owner)) !== 'ended') continue;
    await recover(path);
    await rm(path, { recursive: true, force: true });
  }
}

/** First out of the way, so that a staging folder always has a name in it. */
async function discard(path: string): Promise<void> {
  const moved = aside(path);
  await rename(path, moved);
  await rm(moved, { recursive: true, force: true });
}

function aside(path: string): string {
  return `${path}-${randomBytes(4).toString('hex')}`;
}

async function ownerOf(folder: string): Promise<RunOwner | undefined> {
  // A folder may hold anything, a pipe under this name too.
  const bytes = await readRegularFile({ folder, file: OWNER }, { links: false, max: OWNER_BYTES }).catch(
    () => undefined,
  );
  return bytes === undefined ? undefined : parseOwner(new TextDecoder().decode(bytes));
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
