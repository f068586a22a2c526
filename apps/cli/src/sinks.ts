import { type FileHandle, open, stat } from 'node:fs/promises';
import { ForetokenError } from '@foretoken/core';
import { usageError } from './errors.js';
import { type Io, write } from './io.js';

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
 * resumed or replaced, for what is no file, and for the file that is read.
 */
export async function examineOutput(
  path: string,
  {
    input,
    resume,
    replace,
  }: { readonly input?: string | undefined; readonly resume: boolean; readonly replace: boolean },
): Promise<OutputFile> {
  const status = await statOf(path);
  if (status === undefined) return { path, done: 0, bytes: 0 };
  const named = `--out ${JSON.stringify(path)}`;
  if (!status.isFile()) {
    throw usageError(`${named} is no file. Name a file, or leave --out away and write > ${path}.`, { option: 'out' });
  }
  const read = input === undefined ? undefined : await statOf(input);
  if (read !== undefined && read.ino === status.ino && read.dev === status.dev) {
    throw usageError(`${named} is the file that --file reads. Name another one.`, { option: 'out' });
  }
  if (resume) return { path, ...(await completeLines(path)) };
  if (status.size > 0 && !replace) {
    throw usageError(
      `${named} exists and is not empty. Go on after its last line with --resume, write it anew with --replace, or name another file.`,
      { option: 'out', bytes: status.size },
    );
  }
  return { path, done: 0, bytes: 0 };
}

/** Opens the file behind what it keeps. Throws `INVALID_ARGUMENT` where it cannot be written. */
export async function openOutput({ path, bytes }: OutputFile): Promise<Sink> {
  let file: FileHandle;
  try {
    file = await open(path, 'a');
    await file.truncate(bytes);
  } catch (error) {
    throw usageError(`--out ${JSON.stringify(path)} cannot be written: ${(error as Error).message}.`, {
      option: 'out',
    });
  }
  return {
    live: false,
    write: async (text) => {
      try {
        await file.appendFile(text);
      } catch (cause) {
        throw new ForetokenError(
          'RUNTIME_FAILURE',
          `--out ${JSON.stringify(path)} cannot be written: ${(cause as Error).message}. Once that is mended, go on with --resume.`,
          { file: path },
          { cause },
        );
      }
    },
    close: () => file.close(),
  };
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw usageError(`${JSON.stringify(path)} cannot be read: ${(error as Error).message}.`, { file: path });
  }
}

async function completeLines(path: string): Promise<Omit<OutputFile, 'path'>> {
  const counted = await countLines(path);
  return { done: counted.lines, bytes: counted.bytes };
}

const LINE_FEED = 10;

/** Line feeds of a file, and the bytes up to the last of them. Nothing of it is kept. */
export async function countLines(
  path: string,
): Promise<{ readonly lines: number; readonly bytes: number; readonly size: number }> {
  const file = await open(path, 'r');
  try {
    let [lines, bytes, size] = [0, 0, 0];
    for await (const chunk of file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
      for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) {
        lines++;
        bytes = size + at + 1;
      }
      size += chunk.length;
    }
    return { lines, bytes, size };
  } finally {
    await file.close();
  }
}
