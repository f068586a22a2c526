import { readdir } from 'node:fs/promises';
import { CONFIG, graphsAmong, weightsAmong } from '@foretoken/models/internal';
import { folderReader } from '../../readers/folder-reader.js';
import { readObject } from '../../readers/hugging-face/read-object.js';

/** How transformers names the classes of such models, whatever their encoder is. */
const CLASS = /ForCTC$/;

/** Whether a folder is the export of a CTC model: graphs, no weights, and a config that says so. Throws `INVALID_MODEL_FOLDER`. */
export async function isCtcExport(folder: string, signal?: AbortSignal): Promise<boolean> {
  const names = await readdir(folder).catch((): string[] => []);
  if (graphsAmong(names) === undefined || weightsAmong(names) !== undefined || !names.includes(CONFIG)) return false;
  const { architectures } = await readObject(folderReader(folder, signal), CONFIG);
  return Array.isArray(architectures) && architectures.some((name) => typeof name === 'string' && CLASS.test(name));
}
