import { FOREIGN_BYTES, foreignContent } from '../../folder/foreign-content.js';
import { isMissing } from '../../io/missing.js';
import type { ModelIo } from '../../io/model-io.js';

/**
 * Whether a folder has a file of this name. A web page is none: some servers answer with one where they have nothing. Throws as
 * opening does where there is something that cannot be read.
 */
export async function hasFile(io: ModelIo, file: string, signal?: AbortSignal): Promise<boolean> {
  let opened: Awaited<ReturnType<ModelIo['open']>>;
  try {
    opened = await io.open(file, { signal });
  } catch (error) {
    if (isMissing(error, file)) return false;
    throw error;
  }
  try {
    if (io.remote !== true) return true;
    for await (const piece of opened.pieces) {
      return !/web page/.test(foreignContent(piece.subarray(0, FOREIGN_BYTES)) ?? '');
    }
    return true;
  } finally {
    await opened.close();
  }
}
