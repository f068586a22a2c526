import { configInteger, invalidFolder, originOf, quote, unsupportedModel } from '@foretoken/models/internal';
import type { WeightsFolder } from './weights-folder.js';

export { configInteger };

/** What is known of a folder before its weights are: its config. */
export type ConfigFolder = Pick<WeightsFolder, 'path' | 'config' | 'file' | 'origins'>;

/** Throws `UNSUPPORTED_MODEL`: a field of the config says what no graph here does. */
export function unsupportedConfig(
  folder: ConfigFolder,
  name: string,
  required: string,
  received: unknown = folder.config[name],
): never {
  const { file, field } = originOf(folder, name);
  throw unsupportedModel(
    `${folder.path}: ${file} has ${field} = ${quote(received)}; the importer requires ${required}.`,
    { folder: folder.path, file, field, received, required },
  );
}

/** Throws `INVALID_MODEL_FOLDER`: a field of the config is not what the model needs. */
export function refuseConfig(folder: ConfigFolder, name: string, what: string, required: unknown): never {
  const { file, field } = originOf(folder, name);
  const received = folder.config[name];
  throw invalidFolder(
    `${folder.path}: ${file} has ${field} = ${quote(received)}, but ${what} needs ${String(required)}.`,
    { folder: folder.path, file, field, received, required },
  );
}

/** Heads of attention, a divisor of the width. Throws `INVALID_MODEL_FOLDER`. */
export function configHeads(folder: ConfigFolder, width: number, field = 'attention_heads'): number {
  const heads = configInteger(folder, field, 1, 1024);
  if (width % heads !== 0) refuseConfig(folder, field, 'attention', `a divisor of the width, ${width}`);
  return heads;
}

/** Throws `INVALID_MODEL_FOLDER` unless the activation is SiLU, where the config names one. */
export function checkActivation(folder: ConfigFolder): void {
  const { activation_function: activation } = folder.config;
  if (activation !== undefined && activation !== 'swish' && activation !== 'silu') {
    refuseConfig(folder, 'activation_function', 'this importer', '"swish"');
  }
}
