import { type FileHandle, open } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import type { Options } from './arguments.js';
import { usageError } from './errors.js';
import type { Io } from './io.js';
import { checkedLine, type InputLine, readLines } from './lines.js';

/** Where sentences come from. `texts` are complete and were checked; lines may go on and hold errors. */
export type Sentences =
  | { readonly kind: 'texts'; readonly lines: readonly InputLine[] }
  | {
      readonly kind: 'lines';
      readonly from: 'file' | 'stdin';
      readonly lines: AsyncGenerator<InputLine, void, undefined>;
    };

/**
 * Opens what `--text`, `--file` or standard input offers; undefined when none of them does.
 *
 * Throws `INVALID_ARGUMENT` (both options, unreadable file) and `EMPTY_SOURCE` (an empty `--text`).
 */
export async function openSentences(options: Options, io: Io): Promise<Sentences | undefined> {
  const texts = options.texts('text');
  const file = options.text('file');
  if (texts.length > 0) {
    if (file !== undefined) {
      throw usageError('--text and --file exclude each other; give one of them.', { options: ['text', 'file'] });
    }
    const lines = texts.map((text, index) => checkedLine(index + 1, text));
    const wrong = lines.find(({ error }) => error !== undefined);
    if (wrong?.error !== undefined) throw wrong.error;
    return { kind: 'texts', lines };
  }
  if (file !== undefined && file !== '-') {
    const handle = await openFile('file', file);
    return { kind: 'lines', from: 'file', lines: streamLines(handle.createReadStream(), io.signal) };
  }
  if (file === undefined && io.stdin.isTTY === true) return undefined;
  return { kind: 'lines', from: 'stdin', lines: streamLines(io.stdin as Readable, io.signal) };
}

async function* streamLines(stream: Readable, signal: AbortSignal): AsyncGenerator<InputLine, void, undefined> {
  addAbortSignal(signal, stream);
  yield* readLines(stream);
}

/** Opens the file that `--option` names. Throws `INVALID_ARGUMENT` where it cannot be read. */
export async function openFile(option: string, file: string): Promise<FileHandle> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file);
    if ((await handle.stat()).isDirectory()) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
    return handle;
  } catch (error) {
    await handle?.close();
    const { code, message } = error as NodeJS.ErrnoException;
    throw usageError(`--${option} ${JSON.stringify(file)} cannot be read: ${message}.`, {
      option,
      received: file,
      reason: code,
    });
  }
}
