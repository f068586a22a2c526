import { invalidFolder, quote } from '../folder/refusal.js';
import { type ConfigFiles, originOf } from './config-files.js';

/** An integer of a config within bounds. Throws `INVALID_MODEL_FOLDER`. */
export function configInteger(
  configs: Pick<ConfigFiles, 'path' | 'config' | 'file' | 'origins'>,
  name: string,
  min: number,
  max: number,
): number {
  const { path: folder, config } = configs;
  const received = Object.hasOwn(config, name) ? config[name] : undefined;
  if (typeof received === 'number' && Number.isInteger(received) && received >= min && received <= max) return received;
  const { file, field } = originOf(configs, name);
  throw invalidFolder(
    `${file} in ${folder}: ${field} is ${received === undefined ? 'missing' : quote(received)}, but it must be an integer from ${min} to ${max}. Fetch or correct the file.`,
    { folder, file, field, received, required: { min, max } },
  );
}
