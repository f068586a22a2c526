import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ModelIo } from '../io/model-io.js';
import { openRegularFile, readExactly } from './safe-file.js';

/**
 * A folder of the file system, named by its real path. Only regular files are opened, and no component below the folder may be a
 * symbolic link.
 */
export function fileSystem(folder: string): ModelIo {
  return {
    folder,
    pathOf: (file) => join(folder, file),
    async open(file, { signal } = {}) {
      signal?.throwIfAborted();
      const place = { folder, file };
      const open = await openRegularFile(place, { links: false });
      return {
        bytes: open.bytes,
        pieces: { [Symbol.asyncIterator]: () => readExactly(open, place) },
        close: () => open.handle.close(),
      };
    },
    hasher: () => {
      const hash = createHash('sha256');
      return { update: (piece) => void hash.update(piece), digest: () => hash.digest('hex') };
    },
  };
}
