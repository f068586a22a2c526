import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, readRegularFile } from '@foretoken/models/internal';

/** Far above any n-gram model or shortlist; what is larger is another file. */
const SIDE_FILE_BYTES = 512 * 1024 ** 2;

/**
 * Content of a file that may lie beside weights; undefined without one. What is checked of it is what is written to the model
 * folder, so it is read once. Throws `INVALID_MODEL_FOLDER` for anything but a regular file of a sensible size.
 */
export async function readSideBytes(folder: string, file: string): Promise<Uint8Array | undefined> {
  try {
    await lstat(join(folder, file));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
  }
  // Download caches consist of symbolic links.
  return readRegularFile({ folder, file }, { links: true, max: SIDE_FILE_BYTES });
}
