import {
  decodeUtf8,
  type FilePlace,
  invalidFolder,
  isObject,
  quote,
  reason,
  unsupportedModel,
} from '@foretoken/models/internal';
import { parse } from 'yaml';

/** The options that a model of Marian was trained with, by Marian's names. */
export interface MarianConfig {
  readonly place: FilePlace;
  readonly options: Readonly<Record<string, unknown>>;
}

/** Reads `special:model.yml`. Throws `INVALID_MODEL_FOLDER`. */
export function parseMarianConfig(bytes: Uint8Array, place: FilePlace): MarianConfig {
  const { folder, file } = place;
  const field = 'special:model.yml';
  const refuse = (received: string, cause?: unknown): never => {
    throw invalidFolder(
      `${file} in ${folder}: ${field} ${received}; a mapping in YAML is required. Fetch the model again.`,
      { folder, file, field, required: 'a mapping in YAML' },
      cause,
    );
  };
  let options: unknown;
  try {
    // No aliases: a short text could become a huge value.
    options = parse(decodeUtf8(bytes, field, { folder }), { maxAliasCount: 0, logLevel: 'error', strict: true });
  } catch (cause) {
    refuse(`cannot be read (${quote(reason(cause))})`, cause);
  }
  return isObject(options) ? { place, options } : refuse(`is ${quote(options)}`);
}

/** An option that is an integer within bounds; `otherwise` where it is absent. Throws `INVALID_MODEL_FOLDER`. */
export function integerOption(
  { place, options }: MarianConfig,
  name: string,
  min: number,
  max: number,
  otherwise?: number,
): number {
  const value = Object.hasOwn(options, name) ? options[name] : otherwise;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  return refuseOption({ place, options }, name, `an integer from ${min} to ${max}`);
}

/** Throws `INVALID_MODEL_FOLDER`: an option has a value that no model has. */
export function refuseOption({ place, options }: MarianConfig, name: string, required: string): never {
  const received = options[name];
  throw invalidFolder(
    `${place.file} in ${place.folder}: special:model.yml has ${name} = ${quote(received)}, but it must be ${required}. Fetch the model again.`,
    { ...place, field: name, received, required },
  );
}

/** One of the values that an option may have here; the first where it is absent. Throws `UNSUPPORTED_MODEL`. */
export function choiceOption<const Value extends string | number | boolean>(
  { place, options }: MarianConfig,
  name: string,
  values: readonly [Value, ...Value[]],
): Value {
  const received = Object.hasOwn(options, name) ? options[name] : values[0];
  const found = values.find((value) => value === received);
  if (found !== undefined) return found;
  throw unsupportedModel(
    `${place.file} in ${place.folder}: special:model.yml has ${name} = ${quote(received)}; the importer requires ${values.map((value) => quote(value)).join(' or ')}.`,
    { ...place, field: name, received, required: values },
  );
}
