import { stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Whether a folder has something of this name that can be looked at. */
export async function fileExists(folder: string, file: string): Promise<boolean> {
  return stat(join(folder, file)).then(
    () => true,
    () => false,
  );
}
