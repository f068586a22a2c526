import {
  close as closeCallback,
  constants,
  createReadStream,
  fstat as fstatCallback,
  fstatSync,
  open as openCallback,
} from 'node:fs';
import { stat } from 'node:fs/promises';
import { Socket, type SocketConstructorOpts } from 'node:net';
import { addAbortSignal, type Readable } from 'node:stream';
import { isatty, ReadStream } from 'node:tty';
import { promisify } from 'node:util';
import { shownPath, WITHOUT_WAITING } from '@foretoken/core/node';
import { usageError } from './errors.js';
import type { Input } from './io.js';
import { whyNot } from './output-file.js';

const open = promisify(openCallback);
const close = promisify(closeCallback);
const fstat = promisify(fstatCallback);

/**
 * Opens the file that an option or a positional argument names, as a stream that ends when the signal aborts. Throws `INVALID_ARGUMENT` where it cannot
 * be opened.
 *
 * Opening a pipe that nobody writes to, or reading from one, would hold a thread that no signal reaches, and the process with
 * it: so it is opened without waiting, and read as a pipe.
 */
export async function openText(option: string, file: string, signal: AbortSignal): Promise<Readable> {
  let descriptor: number | undefined;
  try {
    descriptor = await open(file, constants.O_RDONLY | WITHOUT_WAITING);
    const status = await fstat(descriptor);
    if (status.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    return stoppable(streamOf(descriptor, status.isFIFO()), signal);
  } catch (error) {
    if (descriptor !== undefined) await close(descriptor);
    signal.throwIfAborted();
    throw unreadable(nameOf(option, file), option, error);
  }
}

/**
 * Standard input. Node.js takes one that is a folder or a block device for one that is at its end; these are read as files, so
 * that a folder is an error.
 */
export function standardInput(): Readable {
  const status = fstatSync(0);
  return status.isDirectory() || status.isBlockDevice() ? createReadStream('', { fd: 0 }) : process.stdin;
}

/** The chunks of a stream; where it cannot be read on, `INVALID_ARGUMENT` naming the option, or the signal's reason. */
export async function* readChunks(
  stream: Input,
  option: string,
  file: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array | string, void, undefined> {
  try {
    yield* stream;
  } catch (error) {
    signal.throwIfAborted();
    throw unreadable(file === undefined ? 'Standard input' : nameOf(option, file), option, error);
  }
}

/**
 * The stream, which ends with the signal's abort. Where that comes before anyone reads, as it may right after opening, there is nobody
 * yet who hears of it: an `error` without a listener would end the process. Whoever reads later is told all the same.
 */
export function stoppable<Stream extends Readable>(stream: Stream, signal: AbortSignal): Stream {
  stream.on('error', () => {});
  return addAbortSignal(signal, stream);
}

function streamOf(descriptor: number, isPipe: boolean): Readable {
  // A stream that is never read must not keep the process alive.
  const pipe: SocketConstructorOpts & { manualStart: true } = {
    fd: descriptor,
    readable: true,
    writable: false,
    manualStart: true,
  };
  if (isPipe) return new Socket(pipe);
  if (isatty(descriptor)) return new ReadStream(descriptor);
  return createReadStream('', { fd: descriptor });
}

/** An option is named `data`, a positional argument `<recording>`. */
function nameOf(name: string, file: string): string {
  return `${name.startsWith('<') ? name.slice(1, -1) : `--${name}`} ${shownPath(file)}`;
}

/** Looks whether a file is there, before anything slow is begun for it. Throws `INVALID_ARGUMENT`. */
export async function assertThere(option: string, file: string): Promise<void> {
  try {
    await stat(file);
  } catch (error) {
    throw unreadable(nameOf(option, file), option, error);
  }
}

/** An `INVALID_ARGUMENT` error about what cannot be read. */
export function unreadable(what: string, option: string, error: unknown): Error {
  const { code } = error as NodeJS.ErrnoException;
  return usageError(`${what} cannot be read: ${whyNot(error)}.`, { option, reason: code });
}
