import { ForetokenError } from '@foretoken/core';

/** What servers say of a file that they do not have; some of those that list nothing say that it may not be read. */
const MISSING_STATUS: readonly unknown[] = [403, 404, 410];

/** Whether an error says that there is no file of this name. */
export function isMissing(error: unknown, file: string): boolean {
  if (!ForetokenError.isInstance(error) || error.code !== 'INVALID_MODEL_FOLDER') return false;
  const { file: named, received, status } = error.details;
  return named === file && (received === 'ENOENT' || received === 'missing' || MISSING_STATUS.includes(status));
}
