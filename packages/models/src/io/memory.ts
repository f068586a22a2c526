import { checkOptions, show, text, wrongValue } from '@foretoken/core/kit';
import { invalidFolder } from '../folder/refusal.js';
import { type ModelIo, OPEN_OPTIONS } from './model-io.js';

const FOLDER = 'memory';

/**
 * A model folder in memory: the content of every file by its name, `foretoken.json` among them. Files are checked as those of any
 * folder are; what is read is a copy, so later changes of the bytes never reach a model.
 *
 * Throws `INVALID_ARGUMENT` for anything but a `Map` of names to `Uint8Array`s.
 */
export function memoryFolder(files: ReadonlyMap<string, Uint8Array>): ModelIo {
  const contents = contentsOf(files);
  return {
    folder: FOLDER,
    pathOf: (file) => `${FOLDER}/${text('file', file)}`,
    async open(file, options = {}) {
      checkOptions('open', options, OPEN_OPTIONS).signal?.throwIfAborted();
      const content = contents.get(text('file', file));
      if (content === undefined) {
        throw invalidFolder(
          `${file} is missing from the files given. Add it, under the name that foretoken.json has.`,
          {
            folder: FOLDER,
            file,
            received: 'missing',
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

/** The entries of a Map, of any realm. */
function contentsOf(files: unknown): ReadonlyMap<string, Uint8Array> {
  let entries: (readonly [unknown, unknown])[];
  try {
    entries = [...Map.prototype.entries.call(files as Map<unknown, unknown>)];
  } catch {
    throw wrongValue('files', files, 'a Map of file names to Uint8Arrays');
  }
  return new Map(
    entries.map(([name, content]) => {
      const file = text('A name in files', name);
      // A proxy is no view.
      if (ArrayBuffer.isView(content) && (content as Uint8Array)[Symbol.toStringTag] === 'Uint8Array') {
        return [file, content as Uint8Array];
      }
      throw wrongValue(`The content of ${show(file)} in files`, content, 'a Uint8Array');
    }),
  );
}
