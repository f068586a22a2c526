import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { familyOf } from '../families/registry.js';
import { MANIFEST_FILE } from '../folder/manifest.js';
import type { ModelFolder } from '../folder/model-folder.js';
import type { GraphImprover, RebuildFolder } from '../rebuild.js';
import { fileSystem } from './file-system.js';

/** Counts up when graphs that were kept should be built again. */
const EDITION = 1;

/**
 * Graphs built anew of the weights in an export, kept in the cache folder by the digests of all that they were made of. They are
 * proved before they are put there, so what is there was proved.
 */
export const rebuiltFolder: RebuildFolder = async (folder, { anew, improver, prove, signal }) => {
  if (!isAbsolute(folder.path)) return { reason: 'its files are in no folder of this machine' };
  const path = keptAt(folder);
  if (path === undefined) return { reason: 'there is no home folder to keep them in. Name one in FORETOKEN_CACHE' };
  if (!anew && (await isKept(path))) return { io: fileSystem(path) };
  const improve = improver ?? (await installed());
  if (improve === undefined) return { reason: '@foretoken/importers is not installed' };
  try {
    await improve(folder, path, { prove: (staged) => prove(fileSystem(staged)), signal });
    return { io: fileSystem(path) };
  } catch (error) {
    signal?.throwIfAborted();
    if (!ForetokenError.isInstance(error)) throw error;
    return { reason: error.message };
  }
};

/** What is known, before it is loaded, of graphs built anew of an export, for people; `undefined` for other folders. */
export async function improvedGraphs(folder: ModelFolder): Promise<string | undefined> {
  if ((await familyOf(folder.manifest)).rebuilds !== true) return undefined;
  const path = keptAt(folder);
  if (path !== undefined && (await isKept(path))) return `built of its weights and proved to give the same, in ${path}`;
  return 'not built yet; the first load tries it, and uses them where they give the same';
}

function keptAt({ manifest: { name: _, ...manifest } }: ModelFolder): string | undefined {
  const cache = cacheFolder();
  const key = createHash('sha256')
    .update(JSON.stringify([EDITION, manifest]))
    .digest('hex');
  return cache === undefined ? undefined : join(cache, 'rebuilt', key.slice(0, 32));
}

function isKept(path: string): Promise<boolean> {
  return access(join(path, MANIFEST_FILE)).then(
    () => true,
    () => false,
  );
}

/** The folder beside which downloads are kept too. */
function cacheFolder(): string | undefined {
  const { FORETOKEN_CACHE: own, XDG_CACHE_HOME: caches, LOCALAPPDATA: local } = process.env;
  if (own) return resolve(own);
  // By its specification a relative one is to be left alone.
  if (caches && isAbsolute(caches)) return join(caches, 'foretoken');
  if (process.platform === 'win32' && local) return join(local, 'foretoken');
  try {
    const home = homedir();
    return isAbsolute(home) ? join(home, '.cache', 'foretoken') : undefined;
  } catch {
    // A user without an entry, as in some containers.
    return undefined;
  }
}

async function installed(): Promise<GraphImprover | undefined> {
  // The specifier is a variable so that bundlers leave a package alone that need not be there.
  const name = '@foretoken/importers';
  try {
    return ((await import(name)) as { readonly rebuildExport: GraphImprover }).rebuildExport;
  } catch {
    return undefined;
  }
}
