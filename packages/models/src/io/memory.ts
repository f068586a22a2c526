import { ForetokenError } from '@foretoken/core';
import { invalidFolder } from '../folder/refusal.js';
import type { ModelIo } from './model-io.js';

const FOLDER = 'memory';

/**
 * A model folder in memory: the content of every file by its name, `foretoken.json` among them. Files are checked as those of any
 * folder are; what is read is a copy, so later changes of the bytes never reach a model.
 *
 * Throws `INVALID_ARGUMENT` for anything but a `Map` of names to `Uint8Array`s.
 */
export function memoryFolder(files: ReadonlyMap<string, Uint8Array>): ModelIo {
  if (!(files instanceof Map)) throw wrongFiles(typeof files);
  for (const [name, content] of files as Map<unknown, unknown>) {
    if (typeof name !== 'string') throw wrongFiles(`a name of type ${typeof name}`);
    if (!(content instanceof Uint8Array)) throw wrongFiles(`content of type ${typeof content} for ${name}`);
  }
  return {
    folder: FOLDER,
    pathOf: (file) => `${FOLDER}/${file}`,
    async open(file, { signal } = {}) {
      signal?.throwIfAborted();
      const content = files.get(file);
      if (content === undefined) {
        throw invalidFolder(
          `${file} is missing from the files given. Add it, under the name that foretoken.json has.`,
          {
            folder: FOLDER,
            file,
            received: 'missing',
            required: 'a file',
          },
        );
      }
      return { bytes: content.length, pieces: once(content), close: async () => undefined };
    },
  };
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content;
}

function wrongFiles(received: string): ForetokenError {
  return new ForetokenError(
    'INVALID_ARGUMENT',
    `memoryFolder takes a Map of file names to Uint8Arrays, but was given ${received}.`,
    { option: 'files', received, required: 'a Map of names to Uint8Arrays' },
  );
}
