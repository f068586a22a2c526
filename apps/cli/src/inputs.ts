import type { Readable } from 'node:stream';
import { usageError } from './errors.js';
import type { Io } from './io.js';
import { checkedLine, type InputLine, readLines } from './lines.js';
import type { Options } from './options.js';
import { openText, readChunks, stoppable } from './text-files.js';

/** Where sentences come from. `texts` are complete and were checked; lines may go on and hold errors. */
export type Sentences =
  | { readonly kind: 'texts'; readonly lines: readonly InputLine[] }
  | {
      readonly kind: 'lines';
      readonly from: 'file' | 'stdin';
      readonly lines: AsyncGenerator<InputLine, void, undefined>;
    };

/**
 * Opens what `words`, `--text`, `--file` or standard input offers; undefined when none of them does.
 *
 * Throws `INVALID_ARGUMENT` (both options, unreadable file) and `EMPTY_SOURCE` (an empty `--text`).
 */
export async function openSentences(
  options: Options,
  io: Io,
  words: readonly string[] = [],
): Promise<Sentences | undefined> {
  const texts = [...words, ...options.texts('text')];
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
  const chunks = await openInput(options, io);
  if (chunks === undefined) return undefined;
  const from = file === undefined || file === '-' ? 'stdin' : 'file';
  return { kind: 'lines', from, lines: readLines(chunks) };
}

/** The chunks of `--file` or of standard input; undefined where neither is given. Throws `INVALID_ARGUMENT`. */
export async function openInput(
  options: Options,
  io: Io,
): Promise<AsyncGenerator<Uint8Array | string, void, undefined> | undefined> {
  const file = options.text('file');
  if (file !== undefined && file !== '-') {
    return readChunks(await openText('file', file, io.signal), 'file', file, io.signal);
  }
  if (file === undefined && io.stdin.isTTY === true) return undefined;
  return readChunks(stoppable(io.stdin as Readable, io.signal), 'file', undefined, io.signal);
}
