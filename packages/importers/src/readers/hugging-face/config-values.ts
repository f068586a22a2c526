import { invalidFolder, isObject, originOf, quote } from '@foretoken/models/internal';
import type { ConfigFolder } from './config-fields.js';

/** A number within bounds. Throws `INVALID_MODEL_FOLDER`. */
export function numberOf(folder: ConfigFolder, field: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw refused(folder, field, value, `a number from ${min} to ${max}`);
}

/** A number of the config, or what it is where the config leaves it out. Throws `INVALID_MODEL_FOLDER`. */
export function configNumber(folder: ConfigFolder, field: string, fallback: number, min: number, max: number): number {
  const value = folder.config[field];
  return value === undefined || value === null ? fallback : numberOf(folder, field, value, min, max);
}

/** A flag of the config, or what it is where the config leaves it out. Throws `INVALID_MODEL_FOLDER`. */
export function configFlag(folder: ConfigFolder, field: string, fallback: boolean): boolean {
  const value = folder.config[field];
  if (value === undefined || value === null) return fallback;
  if (typeof value === 'boolean') return value;
  throw refused(folder, field, value, 'true or false');
}

/** An object of the config; undefined where there is none. Throws `INVALID_MODEL_FOLDER`. */
export function objectOf(folder: ConfigFolder, field: string): Readonly<Record<string, unknown>> | undefined {
  const value = folder.config[field];
  if (value === undefined || value === null) return undefined;
  if (isObject(value)) return value;
  throw refused(folder, field, value, 'an object or null');
}

function refused(folder: ConfigFolder, name: string, received: unknown, required: string): Error {
  const { file, field } = originOf(folder, name);
  return invalidFolder(
    `${file} in ${folder.path}: ${field} is ${received === undefined ? 'missing' : quote(received)}, but it must be ${required}. Fetch or correct the file.`,
    { folder: folder.path, file, field, received, required },
  );
}

/** Whether transformers wrote a config in this release or a later one: some fields mean something else since then. */
export function isOfRelease({ transformers_version: version }: ConfigFolder['config'], major: number): boolean {
  return typeof version === 'string' && Number.parseInt(version, 10) >= major;
}
