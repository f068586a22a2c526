import { ODD_VALUES } from './odd-values.js';

/** Numbers that a place, a length or a token may be wrong by. */
const ODD_NUMBERS: readonly number[] = [-1, 1, 7, 99, 2 ** 31 - 1, -(2 ** 31)];

/** Right arguments, and how one of their values is replaced. */
export interface Variant {
  /** Such as `[0].run` for the method `run` of the first. */
  readonly path: string;
  readonly args: readonly unknown[];
}

/**
 * Right arguments with one value at a time replaced by each of the odd ones: an argument, a field of an object, an entry of an
 * array, to the depth of three; and numbers of typed arrays by other numbers. `right` makes them anew.
 */
export function* variants(right: () => readonly unknown[]): Generator<Variant> {
  const paths = [...pathsOf(right(), [], 3)];
  for (const path of paths) {
    for (const odd of ODD_VALUES) yield { path: shown(path), args: replaced(right(), path, odd()) as unknown[] };
  }
  for (const path of paths) {
    const value = at(right(), path);
    if (!isNumbers(value)) continue;
    for (let index = 0; index < Math.min(value.length, 4); index++) {
      for (const number of ODD_NUMBERS) {
        const changed = value.slice();
        changed[index] = number;
        yield { path: `${shown(path)}[${index}]`, args: replaced(right(), path, changed) as unknown[] };
      }
    }
  }
}

type Path = readonly (string | number)[];

function* pathsOf(value: unknown, path: Path, depth: number): Generator<Path> {
  if (path.length > 0) yield path;
  if (depth === 0 || typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return;
  for (const [name, inner] of Object.entries(value)) {
    yield* pathsOf(inner, [...path, Array.isArray(value) ? Number(name) : name], path.length === 0 ? depth : depth - 1);
  }
}

function replaced(value: unknown, path: Path, odd: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return odd;
  if (Array.isArray(value)) return value.map((inner, index) => (index === name ? replaced(inner, rest, odd) : inner));
  const object = value as Readonly<Record<string, unknown>>;
  return { ...object, [name]: replaced(object[name], rest, odd) };
}

const at = (value: unknown, path: Path): unknown =>
  path.reduce((inner, name) => (inner as Readonly<Record<string, unknown>>)[name], value);

const isNumbers = (value: unknown): value is Int32Array | Float32Array =>
  value instanceof Int32Array || value instanceof Float32Array || value instanceof Uint8Array;

const shown = (path: Path): string =>
  path.map((name) => (typeof name === 'number' ? `[${name}]` : `.${name}`)).join('');
