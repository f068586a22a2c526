import { safeJson } from './terminal/style.js';

/** A stream to write to; a terminal says so, and how wide it is. */
export interface Output {
  /** Calls `done` once the text was taken. */
  write(text: string, done?: () => void): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface Input extends NodeJS.ReadableStream {
  readonly isTTY?: boolean | undefined;
}

/** All that a command touches of its surroundings, so that it can be run inside a test. */
export interface Io {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C, or with `OUTPUT_LOST`; decoding stops before its next forward. */
  readonly signal: AbortSignal;
}

/** Why the signal aborts where nobody interrupted: standard output or standard error takes no more. */
export const OUTPUT_LOST: Error = new Error('The output cannot be written any more.');

/** A stream of the process. Once the signal has aborted nobody waits any more for a reader that does not read. */
export function untilAborted(stream: NodeJS.WriteStream, signal: AbortSignal): Output {
  return {
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.columns;
    },
    write: (text, done = () => {}) => {
      const end = (): void => {
        signal.removeEventListener('abort', end);
        done();
      };
      stream.write(text, end);
      if (signal.aborted) done();
      else signal.addEventListener('abort', end);
    },
  };
}

/** Writes and waits until the stream took it. A reader that has gone away is not an error here: see `main.ts`. */
export function write(stream: Output, text: string): Promise<void> {
  return new Promise((resolve) => {
    stream.write(text, () => resolve());
  });
}

/** One line of JSON, safe to show on a terminal; typed arrays become arrays. */
export function toJson(value: unknown): string {
  const json = JSON.stringify(value, (_key, part: unknown) => {
    if (ArrayBuffer.isView(part) && !(part instanceof DataView)) return Array.from(part as Int32Array);
    return typeof part === 'bigint' ? part.toString() : part;
  });
  return safeJson(json);
}
