import { lstat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Whether a folder has something of this name that can be looked at. A link that leads nowhere is something too: a download that
 * was not finished leaves one, and a model is another one without the file.
 */
export async function fileExists(folder: string, file: string): Promise<boolean> {
  return lstat(join(folder, file)).then(
    () => true,
    () => false,
  );
}
