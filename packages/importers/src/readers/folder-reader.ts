import { type FileReader, readRegularFile } from '@foretoken/models/internal';
import { fileExists } from './file-exists.js';

/** What reads the files of a folder, links of download caches among them. */
export function folderReader(folder: string, signal?: AbortSignal): FileReader {
  return {
    path: folder,
    has: (file) => fileExists(folder, file),
    read: (file, max) => readRegularFile({ folder, file }, { links: true, max, signal }),
  };
}
