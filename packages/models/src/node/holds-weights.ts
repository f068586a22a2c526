import { readdir, stat } from 'node:fs/promises';
import { MANIFEST_FILE } from '../folder/manifest.js';
import { locateModel } from './locate-model.js';
import { graphsAmong, weightsAmong } from './weights-names.js';

/**
 * Whether a place, a path or the name of a package, holds weights and no model that opens as it is: a file, or a folder with weights
 * that has neither a manifest nor graphs. False for what is not there, which whoever opens it refuses.
 */
export async function holdsWeights(location: string | URL): Promise<boolean> {
  const place = await locateModel(location).catch(() => location);
  const found = await stat(place).catch(() => undefined);
  if (found?.isDirectory() !== true) return found?.isFile() === true;
  const names = await readdir(place).catch((): string[] => []);
  return !names.includes(MANIFEST_FILE) && graphsAmong(names) === undefined && weightsAmong(names) !== undefined;
}
