import { invalidFolder, isObject, quote } from '@foretoken/models/internal';
import type { ConfigFolder } from './config-fields.js';

const FILE = 'config.json';

/** A number within bounds. Throws `INVALID_MODEL_FOLDER`. */
export function numberOf({ path }: ConfigFolder, field: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw refused(path, field, value, `a number from ${min} to ${max}`);
}

/** A number of config.json, or what it is where the config leaves it out. Throws `INVALID_MODEL_FOLDER`. */
export function configNumber(folder: ConfigFolder, field: string, fallback: number, min: number, max: number): number {
  const value = folder.config[field];
  return value === undefined || value === null ? fallback : numberOf(folder, field, value, min, max);
}

/** A flag of config.json, or what it is where the config leaves it out. Throws `INVALID_MODEL_FOLDER`. */
export function configFlag({ path, config }: ConfigFolder, field: string, fallback: boolean): boolean {
  const value = config[field];
  if (value === undefined || value === null) return fallback;
  if (typeof value === 'boolean') return value;
  throw refused(path, field, value, 'true or false');
}

/** An object of config.json; undefined where there is none. Throws `INVALID_MODEL_FOLDER`. */
export function objectOf({ path, config }: ConfigFolder, field: string): Readonly<Record<string, unknown>> | undefined {
  const value = config[field];
  if (value === undefined || value === null) return undefined;
  if (isObject(value)) return value;
  throw refused(path, field, value, 'an object or null');
}

function refused(path: string, field: string, received: unknown, required: string): Error {
  return invalidFolder(
    `${FILE} in ${path}: ${field} is ${received === undefined ? 'missing' : quote(received)}, but it must be ${required}. Fetch or correct the file.`,
    { folder: path, file: FILE, field, received, required },
  );
}

/** Whether transformers wrote a config in this release or a later one: some fields mean something else since then. */
export function isOfRelease({ transformers_version: version }: ConfigFolder['config'], major: number): boolean {
  return typeof version === 'string' && Number.parseInt(version, 10) >= major;
}
