import type { FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { ForetokenError } from '@foretoken/core';
import { NotThisKind, openRegular, shownPath } from '@foretoken/core/node';
import { usageError } from './errors.js';
import { type Io, write } from './io.js';
import { examineTarget, notWritable, openTarget, whyNot } from './output-file.js';
import { unreadable } from './text-files.js';

/** Where decoded text goes. */
export interface Sink {
  /** A terminal: lines are shown while they grow. */
  readonly live: boolean;
  /** Waits until the text was taken. Throws `RUNTIME_FAILURE` where a file cannot be written. */
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

export function standardOutput({ stdout }: Io): Sink {
  return { live: stdout.isTTY === true, write: (text) => write(stdout, text), close: async () => {} };
}

/** What a file of outputs holds already. */
export interface OutputFile {
  readonly path: string;
  /** Complete lines that are kept; the next output is that of the line after them. */
  readonly done: number;
  /** Bytes that are kept: what follows the last complete line is cut off. */
  readonly bytes: number;
}

/**
 * Looks at the file of `--out` without changing it. Throws `INVALID_ARGUMENT` for a file that is not empty, unless it is to be
 * resumed or replaced, for what is no file, and for a file that is read.
 */
export async function examineOutput(
  path: string,
  {
    inputs,
    resume,
    replace,
    signal,
  }: {
    /** Files that options read, by the options' names. */
    readonly inputs: Readonly<Record<string, string | undefined>>;
    readonly resume: boolean;
    readonly replace: boolean;
    readonly signal: AbortSignal;
  },
): Promise<OutputFile> {
  const { bytes: size } = await examineTarget('out', path, inputs);
  if (resume && size > 0) return { path, ...(await completeLines(path, signal)) };
  if (size > 0 && !replace) {
    throw usageError(
      `--out ${shownPath(path)} exists and is not empty. Go on after its last line with --resume, write it anew with --replace, or name another file.`,
      { option: 'out', bytes: size },
    );
  }
  return { path, done: 0, bytes: 0 };
}

/** Opens the file behind what it keeps. Throws `INVALID_ARGUMENT` where it cannot be written. */
export async function openOutput({ path, bytes }: OutputFile): Promise<Sink> {
  const file = await openTarget('out', path);
  let end = bytes;
  try {
    await file.truncate(bytes);
  } catch (error) {
    await file.close();
    throw notWritable('out', path, error);
  }
  return {
    live: false,
    write: async (text) => {
      try {
        const content = Buffer.from(text);
        for (let done = 0; done < content.length; ) {
          const { bytesWritten } = await file.write(content, done, content.length - done, end);
          done += bytesWritten;
          end += bytesWritten;
        }
      } catch (cause) {
        throw new ForetokenError(
          'RUNTIME_FAILURE',
          `--out ${shownPath(path)} cannot be written: ${whyNot(cause)}. Once that is mended, go on with --resume.`,
          { file: path },
          { cause },
        );
      }
    },
    close: () => file.close(),
  };
}

async function completeLines(path: string, signal: AbortSignal): Promise<Omit<OutputFile, 'path'>> {
  const counted = await countLines('out', path, signal);
  return { done: counted?.lines ?? 0, bytes: counted?.bytes ?? 0 };
}

const LINE_FEED = 10;

/**
 * Line feeds of a file, and the bytes up to the last of them; undefined for what is no regular file, which may be read only once.
 * Nothing of it is kept. Throws `INVALID_ARGUMENT`, and the signal's reason.
 */
export async function countLines(
  option: string,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly lines: number; readonly bytes: number; readonly size: number } | undefined> {
  let file: FileHandle | undefined;
  try {
    file = (await openRegular({ folder: dirname(path), file: basename(path) }, { links: true })).handle;
    let [lines, bytes, size] = [0, 0, 0];
    for await (const chunk of file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) {
        lines++;
        bytes = size + at + 1;
      }
      size += chunk.length;
    }
    return { lines, bytes, size };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof NotThisKind) return undefined;
    throw unreadable(`--${option} ${shownPath(path)}`, option, error);
  } finally {
    await file?.close();
  }
}
