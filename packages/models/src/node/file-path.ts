import { fileURLToPath } from 'node:url';
import { type OptionReader, path, wrongValue } from '@foretoken/core/kit';

/** A file or a folder of this machine: its path, or its `file:` URL as a string or a `URL`. */
export type FileLocation = string | URL;

/** Reads a path; a `file:` URL becomes one. Throws `INVALID_ARGUMENT`, also for a URL that names no file here. */
export const filePath: OptionReader<string> = (name, value) => {
  let file = value;
  try {
    if (isFileUrl(value)) file = fileURLToPath(value as FileLocation);
  } catch {
    throw wrongValue(name, String(value), 'a path, or a file: URL that names a file here');
  }
  return path(name, file);
};

/** Whether a value is a URL: an object of any kind, since another kind is to be refused as one, or a text that begins as a file's. */
export function isFileUrl(value: unknown): boolean {
  try {
    return value instanceof URL || (typeof value === 'string' && /^file:/i.test(value));
  } catch {
    // A proxy may throw where it is asked what it is.
    return false;
  }
}
