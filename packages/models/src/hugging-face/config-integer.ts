import { invalidFolder, quote } from '../folder/refusal.js';
import { CONFIG, type ConfigFiles } from './config-files.js';

/** An integer of config.json within bounds. Throws `INVALID_MODEL_FOLDER`. */
export function configInteger(
  { path, config, file = CONFIG }: Pick<ConfigFiles, 'path' | 'config' | 'file'>,
  field: string,
  min: number,
  max: number,
): number {
  const received = Object.hasOwn(config, field) ? config[field] : undefined;
  if (typeof received === 'number' && Number.isInteger(received) && received >= min && received <= max) return received;
  throw invalidFolder(
    `${file} in ${path}: ${field} is ${received === undefined ? 'missing' : quote(received)}, but it must be an integer from ${min} to ${max}. Fetch or correct the file.`,
    { folder: path, file, field, received, required: { min, max } },
  );
}
