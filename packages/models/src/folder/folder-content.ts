import { callback, flag, type OptionReader, type OptionTable, signal, text, wrongValue } from '@foretoken/core/kit';

/** A file's content: whole, in pieces, or made in pieces when it is the file's turn to be written. */
export type FileContent = string | Uint8Array | readonly Uint8Array[] | MadeContent;

/** Makes the content of a file; one that is larger than memory is never whole. */
export type MadeContent = () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Options of `writeModelFolder`. */
export interface WriteFolderOptions {
  /** Replace an existing model folder (default: refuse). */
  readonly replace?: boolean | undefined;
  /** Looked at between pieces of work, up to the moment the model is in place. */
  readonly signal?: AbortSignal | undefined;
  /** Proves that a folder can be loaded, before it becomes the target. */
  readonly prove?: ((folder: string) => Promise<void>) | undefined;
}

const anyPromise: OptionReader<Promise<void>> = (_name, value) => value as Promise<void>;

/** How the options of `writeModelFolder` are read. */
export const WRITE_OPTIONS: OptionTable<WriteFolderOptions> = { replace: flag, signal, prove: callback(anyPromise) };

/** Names and contents of files, in an own map. Throws `INVALID_ARGUMENT`. */
export function filesOf(files: unknown): ReadonlyMap<string, FileContent> {
  let entries: (readonly [unknown, unknown])[];
  try {
    // Of a Map of any realm; throws for anything else.
    entries = [...Map.prototype.entries.call(files as Map<unknown, unknown>)];
  } catch {
    throw wrongValue('files', files, 'a Map from names of files to contents');
  }
  return new Map(
    entries.map(([name, content]) => [text('A name of files', name), contentOf(content, `files of ${name}`)]),
  );
}

const isBytes = (value: unknown): value is Uint8Array => {
  try {
    return value instanceof Uint8Array && new Uint8Array(value.buffer, value.byteOffset, value.length).length >= 0;
  } catch {
    // A proxy may throw where it is asked what it is, and a buffer that was given away has no bytes.
    return false;
  }
};

function contentOf(content: unknown, name: string): FileContent {
  if (typeof content === 'string' || isBytes(content)) return content;
  if (typeof content === 'function') return () => piecesOf(Reflect.apply(content, undefined, []), name);
  try {
    // Copied, so that what was checked is what is written.
    const pieces: unknown[] = Array.isArray(content) && content.length <= MAX_PIECES ? [...content] : [undefined];
    if (pieces.every(isBytes)) return pieces;
  } catch {
    // Told below.
  }
  throw wrongValue(name, content, 'a text, a Uint8Array, a list of them, or a function that makes them');
}

/** Far more than any file is put together of. */
const MAX_PIECES = 2 ** 20;

/** What a function makes, each piece looked at when its turn comes. */
async function* piecesOf(made: unknown, name: string): AsyncGenerator<Uint8Array> {
  const parts = made as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined;
  const isObject = typeof parts === 'object' && parts !== null;
  if (!isObject || (parts[Symbol.asyncIterator] ?? parts[Symbol.iterator]) === undefined) {
    throw wrongValue(`What ${name} gives`, made, 'pieces, each a Uint8Array');
  }
  for await (const piece of parts as AsyncIterable<unknown>) {
    if (!isBytes(piece)) throw wrongValue(`A piece of ${name}`, piece, 'a Uint8Array');
    yield piece;
  }
}
