import type { Stats } from 'node:fs';
import { text, withMethods } from '../kit/options.js';

/** What there is in the place of a regular file, or of a folder. */
export class NotThisKind extends Error {
  /** Which part of the path it is. */
  readonly part: string;
  /** What is there, such as `a pipe`. */
  readonly received: string;
  /** What is read here. */
  readonly required: string;

  constructor(part: string, received: string, required: string) {
    super(`${part} is ${received}, but ${required} is required`);
    this.name = 'NotThisKind';
    this.part = part;
    this.received = received;
    this.required = required;
  }
}

const readStatus = withMethods<Stats>(
  'what stat gives',
  'isFile',
  'isDirectory',
  'isSymbolicLink',
  'isFIFO',
  'isSocket',
);

/** What something in the file system is, in words. */
export function kindOf(status: Stats): string {
  readStatus('status', status);
  if (status.isFile()) return 'a file';
  if (status.isDirectory()) return 'a folder';
  if (status.isSymbolicLink()) return 'a symbolic link';
  if (status.isFIFO()) return 'a pipe';
  return status.isSocket() ? 'a socket' : 'a device';
}

const SHOWN_PATH = 300;

/** A path in a message: quoted, without characters that terminals and logs obey, the middle of a very long one left out. */
export function shownPath(path: string): string {
  text('path', path);
  const half = SHOWN_PATH / 2;
  const short = path.length > SHOWN_PATH ? `${path.slice(0, half)}…${path.slice(-half)}` : path;
  return JSON.stringify(short).replace(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu, (one) => {
    return `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'lies below something that is no folder',
  EISDIR: 'is a folder',
  EACCES: 'is closed to this user',
  EPERM: 'is closed to this user',
  EROFS: 'lies where nothing can be written',
  ENOSPC: 'has no room: the disk is full',
  EDQUOT: 'has no room: the quota is used up',
  ENAMETOOLONG: 'has too long a name',
  ELOOP: 'leads through symbolic links that are no way to a file',
  EMFILE: 'cannot be opened: too many files are open',
  ENFILE: 'cannot be opened: too many files are open',
  ENXIO: 'has nobody at its other end',
  EIO: 'gives an input or output error',
  ERR_INVALID_ARG_VALUE: 'holds a NUL character, which no path can',
};

/** Faults of the machine at the time, not of the path that was given. */
const OF_THE_MACHINE: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EIO']);

/** A failure of the file system. */
export interface FileTrouble {
  /** What is wrong with the path, as a predicate: `does not exist (ENOENT)`. */
  readonly words: string;
  /** Code of the system call, or what there is, such as `a pipe`. */
  readonly received: string;
  /** Whether another path helps: else the disk is full, or fails. */
  readonly isOfThePath: boolean;
}

/** What a thrown value says of a file; undefined where it is no failure of the file system. */
export function fileTrouble(error: unknown): FileTrouble | undefined {
  try {
    return troubleOf(error);
  } catch {
    return undefined;
  }
}

function troubleOf(error: unknown): FileTrouble | undefined {
  if (error instanceof NotThisKind) {
    return { words: `is ${error.received}, not ${error.required}`, received: error.received, isOfThePath: true };
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!Object.hasOwn(WORDS, code) && !/^E[A-Z0-9]+$/.test(code)) return undefined;
  const shown = code.startsWith('ERR_') ? '' : ` (${code})`;
  const isOfThePath = !OF_THE_MACHINE.has(code);
  return { words: `${WORDS[code] ?? 'cannot be used'}${shown}`, received: code, isOfThePath };
}
