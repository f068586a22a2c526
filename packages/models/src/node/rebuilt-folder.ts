import { isAbsolute } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import type { GraphImprover, RebuildFolder } from '../rebuild.js';
import { failedProof, failedProofAt, keepFailedProof } from './failed-proofs.js';
import { fileSystem } from './file-system.js';
import { isKept, keptAt } from './kept-graphs.js';

/**
 * Graphs built anew of the weights in an export, kept in the cache folder by the digests of all that they were made of. They are
 * proved before they are put there, so what is there was proved. That they did not give the same is kept beside them, so that they are
 * built once either way.
 */
export const rebuiltFolder: RebuildFolder = async (folder, { anew, improver, prove, signal }) => {
  if (!isAbsolute(folder.path)) return { reason: 'its files are in no folder of this machine' };
  const path = keptAt(folder);
  if (path === undefined) return { reason: 'there is no home folder to keep them in. Name one in FORETOKEN_CACHE' };
  if (!anew && (await isKept(path))) return { io: fileSystem(path) };
  const failed = await failedProof(path);
  if (failed !== undefined)
    return { reason: `${failed} An earlier load found that; remove ${failedProofAt(path)} to try again` };
  const improve = improver ?? (await installed());
  if (improve === undefined) return { reason: '@foretoken/importers is not installed' };
  try {
    await improve(folder, path, { prove: (staged) => proveAndKeep(prove(fileSystem(staged)), path), signal });
    return { io: fileSystem(path) };
  } catch (error) {
    signal?.throwIfAborted();
    if (!ForetokenError.isInstance(error)) throw error;
    return { reason: error.message };
  }
};

/** Keeps that a proof failed. What may come out otherwise another time, such as want of memory, is not kept. */
async function proveAndKeep(proof: Promise<void>, path: string): Promise<void> {
  try {
    await proof;
  } catch (error) {
    if (ForetokenError.isInstance(error) && error.code === 'UNSUPPORTED_MODEL')
      await keepFailedProof(path, error.message);
    throw error;
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
