import { configInteger, invalidFolder, quote, unsupportedModel } from '@foretoken/models/internal';
import type { WeightsFolder } from './weights-folder.js';

export { configInteger };

const CONFIG = 'config.json';

/** What is known of a folder before its weights are: its config. */
export type ConfigFolder = Pick<WeightsFolder, 'path' | 'config' | 'sizesFrom'>;

/** Throws `UNSUPPORTED_MODEL`: a field of config.json says what no graph here does. */
export function unsupportedConfig(
  { path, config, sizesFrom: file = CONFIG }: ConfigFolder,
  field: string,
  required: string,
): never {
  throw unsupportedModel(
    `${path}: ${file} has ${field} = ${quote(config[field])}; the importer requires ${required}.`,
    { folder: path, file, field, received: config[field], required },
  );
}

/** Throws `INVALID_MODEL_FOLDER`: a field of config.json is not what the model needs. */
export function refuseConfig(
  { path, config, sizesFrom: file = CONFIG }: ConfigFolder,
  field: string,
  what: string,
  required: unknown,
): never {
  throw invalidFolder(
    `${path}: ${file} has ${field} = ${quote(config[field])}, but ${what} needs ${String(required)}.`,
    { folder: path, file, field, received: config[field], required },
  );
}

/** Heads of attention, a divisor of the width. Throws `INVALID_MODEL_FOLDER`. */
export function configHeads(folder: ConfigFolder, width: number, field = 'attention_heads'): number {
  const heads = configInteger(folder, field, 1, 1024);
  if (width % heads !== 0) refuseConfig(folder, field, 'attention', `a divisor of the width, ${width}`);
  return heads;
}

/** Throws `INVALID_MODEL_FOLDER` unless the activation is SiLU, where config.json names one. */
export function checkActivation(folder: ConfigFolder): void {
  const { activation_function: activation } = folder.config;
  if (activation !== undefined && activation !== 'swish' && activation !== 'silu') {
    refuseConfig(folder, 'activation_function', 'this importer', '"swish"');
  }
}
