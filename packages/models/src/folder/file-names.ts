import { invalidFolder, quote, type RefusalDetails } from './refusal.js';

const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;
// Windows opens devices under these names, whatever the extension.
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;
const MAX_CHARACTERS = 200;
const MAX_SEGMENTS = 8;

/**
 * True for a plain relative file name: segments of letters, digits, `.`, `_` and `-` joined by `/`.
 *
 * What is allowed is listed, not what is forbidden: so no name is empty, absolute, hidden, a drive, a device, holds `..`,
 * a backslash or a NUL, or means different files on different systems.
 */
export function isPlainFileName(name: unknown): name is string {
  if (typeof name !== 'string' || name.length > MAX_CHARACTERS) return false;
  const segments = name.split('/');
  return (
    segments.length <= MAX_SEGMENTS &&
    segments.every((segment) => SEGMENT.test(segment) && !DEVICE.test(segment) && !segment.endsWith('.'))
  );
}

/** Throws `INVALID_MODEL_FOLDER` unless `name` is a plain relative file name. */
export function assertPlainFileName(name: unknown, details: RefusalDetails): asserts name is string {
  if (isPlainFileName(name)) return;
  throw invalidFolder(
    `${details.file}: ${details.field} names the file ${quote(name)}, which may reach outside the model folder. ` +
      'Use a plain relative name: letters, digits, ".", "_" and "-", with "/" between folders.',
    { ...details, received: name, required: 'a plain relative file name' },
  );
}

/** The name of a file that another one names, as graphs do, by where it lies beside it. Both are plain names. */
export function besideFile(file: string, location: string): string {
  return file.slice(0, file.lastIndexOf('/') + 1) + location;
}
