import { type FilePlace, invalidFolder, quote, unsupportedModel } from '@foretoken/models/internal';
import type { GgufFile } from './open-gguf.js';

/** Reads fields of a file's metadata, each refused by its name where it is not what it must be. */
export class GgufFields {
  readonly place: FilePlace;
  readonly #metadata: GgufFile['metadata'];

  constructor({ metadata }: GgufFile, place: FilePlace) {
    this.place = place;
    this.#metadata = metadata;
  }

  has(key: string): boolean {
    return this.#metadata.has(key);
  }

  /** What the file has, unchecked; undefined where it has nothing. */
  value(key: string): unknown {
    return this.#metadata.get(key);
  }

  /** An integer within bounds; `fallback`, where there is one, if the field is missing. Throws `INVALID_MODEL_FOLDER`. */
  integer(key: string, min: number, max: number, fallback?: number): number {
    const value = this.#metadata.get(key) ?? fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    return this.refuse(key, value, `an integer from ${min} to ${max}`);
  }

  /** Throws `INVALID_MODEL_FOLDER`. */
  number(key: string, min: number, max: number, fallback?: number): number {
    const value = this.#metadata.get(key) ?? fallback;
    if (typeof value === 'number' && value >= min && value <= max) return value;
    return this.refuse(key, value, `a number from ${min} to ${max}`);
  }

  /** An integer, also where it is given once for each layer, always the same. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
  sameInteger(key: string, min: number, max: number, fallback?: number): number {
    const value = this.#metadata.get(key);
    if (!Array.isArray(value)) return this.integer(key, min, max, fallback);
    const [first] = value;
    if (typeof first !== 'number' || !Number.isInteger(first) || first < min || first > max) {
      return this.refuse(key, value, `integers from ${min} to ${max}`);
    }
    if (value.some((other) => other !== first)) return this.unsupported(key, value, 'the same for all layers');
    return first;
  }

  /** Throws `INVALID_MODEL_FOLDER`. */
  flag(key: string, fallback: boolean): boolean {
    const value = this.#metadata.get(key) ?? fallback;
    return typeof value === 'boolean' ? value : this.refuse(key, value, 'true or false');
  }

  /** Throws `INVALID_MODEL_FOLDER`. */
  text(key: string): string | undefined {
    const value = this.#metadata.get(key);
    return value === undefined || typeof value === 'string' ? value : this.refuse(key, value, 'a text');
  }

  /** Texts; undefined where there are none. Throws `INVALID_MODEL_FOLDER`. */
  texts(key: string): readonly string[] | undefined {
    const value = this.#metadata.get(key);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
    return this.refuse(key, value, 'a list of texts');
  }

  /** Numbers; undefined where there are none. Throws `INVALID_MODEL_FOLDER`. */
  numbers(key: string): readonly number[] | undefined {
    const value = this.#metadata.get(key);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((item) => typeof item === 'number')) return value;
    return this.refuse(key, value, 'a list of numbers');
  }

  refuse(field: string, received: unknown, required: string): never {
    const { folder, file } = this.place;
    throw invalidFolder(
      `${file} in ${folder}: ${field} is ${received === undefined ? 'missing' : quote(received)}, but it must be ${required}. Fetch the file again.`,
      { folder, file, field, received, required },
    );
  }

  unsupported(field: string, received: unknown, required: string): never {
    const { folder, file } = this.place;
    throw unsupportedModel(
      `${file} in ${folder}: ${field} is ${received === undefined ? 'missing' : quote(received)}, which is not supported; supported: ${required}.`,
      { folder, file, field, received, required },
    );
  }
}
