import { readdir } from 'node:fs/promises';
import { CONFIG, graphsAmong, weightsAmong } from '@foretoken/models/internal';
import { folderReader } from '../../readers/folder-reader.js';
import { readObject } from '../../readers/hugging-face/read-object.js';
import type { GraphAdapter } from '../graph-adapter.js';
import { importCtcModel } from './import-ctc.js';

/** How transformers names the classes of such models, whatever their encoder is. */
const CLASS = /ForCTC$/;

/** Exports of CTC models whose config says so. */
export const ctcAdapter: GraphAdapter = {
  holds: 'a CTC graph',
  async claims(folder, signal) {
    const names = await readdir(folder).catch((): string[] => []);
    if (graphsAmong(names) === undefined || weightsAmong(names) !== undefined || !names.includes(CONFIG)) return false;
    const { architectures } = await readObject(folderReader(folder, signal), CONFIG);
    return Array.isArray(architectures) && architectures.some((name) => typeof name === 'string' && CLASS.test(name));
  },
  adapt: importCtcModel,
};
