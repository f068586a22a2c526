import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { familyOf } from '../families/registry.js';
import { MANIFEST_FILE } from '../folder/manifest.js';
import type { ModelFolder } from '../folder/model-folder.js';
import { failedProof, failedProofAt } from './failed-proofs.js';

/** Counts up when graphs that were kept should be built again. */
const EDITION = 2;

/** What is known, before it is loaded, of graphs built anew of an export, for people; `undefined` for other folders. */
export async function improvedGraphs(folder: ModelFolder): Promise<string | undefined> {
  if ((await familyOf(folder.manifest)).rebuilds?.(folder.manifest) !== true) return undefined;
  const path = keptAt(folder);
  if (path !== undefined && (await isKept(path))) return `built of its weights and proved to give the same, in ${path}`;
  const failed = path === undefined ? undefined : await failedProof(path);
  if (path !== undefined && failed !== undefined) return `none: ${failed} Remove ${failedProofAt(path)} to try again`;
  return 'not built yet; the first load tries it, and uses them where they give the same';
}

/** Where graphs built anew of an export lie, or would; `undefined` where no cache folder is known. */
export function keptAt({ manifest: { name: _, ...manifest } }: ModelFolder): string | undefined {
  const cache = cacheFolder();
  const key = createHash('sha256')
    .update(JSON.stringify([EDITION, manifest]))
    .digest('hex');
  return cache === undefined ? undefined : join(cache, 'rebuilt', key.slice(0, 32));
}

/** Whether an earlier load has put them there. */
export function isKept(path: string): Promise<boolean> {
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
