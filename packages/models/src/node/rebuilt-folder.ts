import { isAbsolute } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import type { GraphImprover, RebuildFolder } from '../rebuild.js';
import { fileSystem } from './file-system.js';
import { isKept, keptAt } from './kept-graphs.js';

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

async function installed(): Promise<GraphImprover | undefined> {
  // The specifier is a variable so that bundlers leave a package alone that need not be there.
  const name = '@foretoken/importers';
  try {
    return ((await import(name)) as { readonly rebuildExport: GraphImprover }).rebuildExport;
  } catch {
    return undefined;
  }
}
