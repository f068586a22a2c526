import { ForetokenError } from '../contract/errors.js';
import { assertInteger, assertNumber, isPromise, wrongValue } from './checks.js';
import { nameHint, nearestHint } from './option-names.js';
import { show } from './show.js';

/** Reads one option: returns its value, or throws `INVALID_ARGUMENT` with the name it was given. */
export type OptionReader<Value> = (name: string, value: unknown) => Value;

/** A reader for each field of an interface: the compiler refuses a table that lacks one or has one too many. */
export type OptionTable<Options> = {
  readonly [Name in keyof Options]-?: OptionReader<Exclude<Options[Name], undefined>>;
};

/** Options whose defaults are filled in: none of them may be left out, and none is `undefined`. */
export type Complete<Options> = { [Name in keyof Options]-?: Exclude<Options[Name], undefined> };

/**
 * A checked copy of the options that `owner`, a function's name, was given; every field was read once, and `undefined` is as
 * good as left out.
 *
 * Throws `INVALID_ARGUMENT` for anything but a plain object, a name that the table does not have (with the nearest that it
 * has), a missing one of `required`, a getter that throws, and whatever the readers refuse.
 */
export function checkOptions<Options extends object>(
  owner: string,
  options: Options,
  table: OptionTable<Options>,
  required: readonly (keyof Options & string)[] = [],
): Options {
  return readFields(owner, fieldsOf(owner, options), table, required);
}

/** Checks fields against a table; `prefix` goes before their names in messages. */
export function readFields<Options extends object>(
  owner: string,
  fields: ReadonlyMap<string | symbol, unknown>,
  table: OptionTable<Options>,
  required: readonly string[] = [],
  prefix = '',
): Options {
  const readers = table as Readonly<Record<string, OptionReader<unknown>>>;
  const names = Object.keys(table);
  const checked: Record<string, unknown> = {};
  for (const [name, value] of fields) {
    if (typeof name === 'symbol' || !Object.hasOwn(table, name)) {
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `${owner} takes no ${typeof name === 'symbol' ? show(name) : show(name).slice(1, -1)}.` +
          `${nameHint(String(name), names)} It takes: ${names.join(', ') || 'nothing'}.`,
        { option: name, received: value, required: names },
      );
    }
    if (value !== undefined) checked[name] = readers[name](prefix + name, value);
  }
  for (const name of required) {
    if (checked[name] !== undefined) continue;
    throw new ForetokenError('INVALID_ARGUMENT', `${owner} needs ${prefix}${name}, which was not given.`, {
      option: prefix + name,
      received: undefined,
    });
  }
  return checked as Options;
}

/** The fields of a plain object, each read once. Throws `INVALID_ARGUMENT`. */
export function fieldsOf(
  owner: string,
  value: unknown,
  required = 'a plain object with named fields',
): ReadonlyMap<string | symbol, unknown> {
  let cause: unknown;
  try {
    if (typeof value === 'object' && value !== null) {
      const prototype: unknown = Object.getPrototypeOf(value);
      // Arrays and instances of classes have a longer chain; objects of another realm have an Object.prototype of its own.
      if (prototype === null || Object.getPrototypeOf(prototype) === null) {
        return new Map(Reflect.ownKeys(value).map((name) => [name, Reflect.get(value, name) as unknown]));
      }
    }
  } catch (error) {
    cause = error;
  }
  const why = cause === undefined ? '' : ' Reading it failed.';
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `${owner} takes ${required}, but got ${show(value)}.${why}`,
    { option: owner, received: value, required },
    { cause },
  );
}

/** A whole number from `min` to `max`, the borders included. */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): OptionReader<number> {
  return (name, value) => {
    assertInteger(name, value, min, max);
    return value;
  };
}

/** A number from `min` to `max`, the borders included unless `open`. */
export function number(min: number, max: number, open = false): OptionReader<number> {
  return (name, value) => {
    assertNumber(name, value, min, max, open);
    return value;
  };
}

/** True or false. */
export const flag: OptionReader<boolean> = (name, value) => {
  if (typeof value === 'boolean') return value;
  throw wrongValue(name, value, 'true or false');
};

/** A string, empty too. */
export const text: OptionReader<string> = (name, value) => {
  if (typeof value === 'string') return value;
  throw wrongValue(name, value, 'a string');
};

/** The path of a file or a folder. */
export const path: OptionReader<string> = (name, value) => {
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value;
  throw wrongValue(name, value, 'a path, which is not empty and holds no NUL character');
};

/** One of the given strings; the nearest is named where another one is given. */
export function oneOf<const Value extends string>(...values: readonly Value[]): OptionReader<Value> {
  return (name, value) => {
    const found = values.find((one) => one === value);
    if (found !== undefined) return found;
    throw wrongValue(name, value, values.join(' or '), typeof value === 'string' ? nearestHint(value, values) : '');
  };
}

/** An array, copied; each entry is read under its index. */
export function listOf<Value>(read: OptionReader<Value>, min = 0): OptionReader<readonly Value[]> {
  return (name, value) => {
    const required = min === 0 ? 'an array' : `an array of at least ${min}`;
    const list: Value[] = [];
    const length = lengthOf(value);
    if (length === undefined || length < min) throw wrongValue(name, value, required);
    for (let index = 0; index < length; index++) list.push(read(`${name}[${index}]`, entryOf(name, value, index)));
    return list;
  };
}

/** Length of an array, `undefined` for anything else. */
export function lengthOf(value: unknown): number | undefined {
  try {
    return Array.isArray(value) ? value.length : undefined;
  } catch {
    return undefined;
  }
}

/** An entry of an array. Throws `INVALID_ARGUMENT` where reading it fails. */
export function entryOf(name: string, value: unknown, index: number): unknown {
  try {
    return (value as readonly unknown[])[index];
  } catch {
    throw wrongValue(name, value, 'an array that can be read');
  }
}

/** Token ids as an Int32Array of at least `min`, copied. */
export function tokens(min = 0): OptionReader<Int32Array> {
  return (name, value) => {
    const required =
      min === 0 ? 'an Int32Array of token ids' : `an Int32Array of at least ${min} token id${min > 1 ? 's' : ''}`;
    if (!isInt32Array(value) || value.length < min) throw wrongValue(name, value, required);
    return value.slice();
  };
}

/** Token ids as an array or a typed array of integers from 0, copied. */
export const tokenList: OptionReader<readonly number[]> = (name, value) => {
  return listOf(integer(0))(name, plainArray(name, value));
};

/** The numbers of a typed array as an array; anything else as it is. Throws `INVALID_ARGUMENT` where its buffer was given away. */
export function plainArray(name: string, value: unknown): unknown {
  if (!ArrayBuffer.isView(value) || !('length' in value)) return value;
  try {
    return Array.from(value as Int32Array);
  } catch {
    throw wrongValue(name, value, 'a typed array whose buffer was not given away');
  }
}

/** Whether a value is a usable Int32Array, of this realm or another; one whose buffer was given away is not. */
export function isInt32Array(value: unknown): value is Int32Array {
  // A proxy is no view.
  if (!ArrayBuffer.isView(value) || (value as Partial<Int32Array>)[Symbol.toStringTag] !== 'Int32Array') return false;
  try {
    // Throws for a detached buffer, whose view looks like an empty one.
    new Uint8Array(value.buffer, 0, 0);
    return true;
  } catch {
    return false;
  }
}

/** An object that has these methods; `kind` names it in the message. */
export function withMethods<Value extends object>(kind: string, ...methods: readonly string[]): OptionReader<Value> {
  return (name, value) => {
    if (hasMethods(value, ...methods)) return value as Value;
    throw wrongValue(name, value, kind);
  };
}

/** Whether a value is an object with all of these methods; false too where reading one throws. */
export function hasMethods(value: unknown, ...methods: readonly string[]): boolean {
  try {
    const object = value as Readonly<Record<string, unknown>>;
    return (
      typeof value === 'object' && value !== null && methods.every((method) => typeof object[method] === 'function')
    );
  } catch {
    return false;
  }
}

/** A function whose results are read too, so that one that answers with a promise is refused where it does. */
export function callback<Call extends (...input: never[]) => unknown>(
  result: OptionReader<ReturnType<Call>>,
): OptionReader<Call> {
  return (name, value) => {
    if (typeof value !== 'function') throw wrongValue(name, value, 'a function');
    const read = `What ${name} returns`;
    return function (this: unknown, ...input: readonly unknown[]): unknown {
      return result(read, Reflect.apply(value, this, input));
    } as unknown as Call;
  };
}

/** Whatever the value is. */
export function anything<Value>(_name: string, value: unknown): Value {
  return value as Value;
}

/** Any result but a promise. */
export function immediate<Value>(name: string, value: unknown): Value {
  if (!isPromise(value)) return value as Value;
  throw wrongValue(name, value, 'the result itself, since nothing waits for a promise here');
}

/** A plain object of its own, such as an option that has options. */
export function fields<Options extends object>(
  table: OptionTable<Options>,
  required: readonly (keyof Options & string)[] = [],
): OptionReader<Options> {
  return (name, value) => readFields(name, fieldsOf(name, value), table, required, `${name}.`);
}

/** A map from token ids, or other integers from 0, to numbers; a plain object is as good. */
export function numberMap(read: OptionReader<number>): OptionReader<ReadonlyMap<number, number>> {
  return (name, value) => {
    const numbers = new Map<number, number>();
    for (const [key, entry] of entriesOf(name, value)) {
      const id: unknown = typeof key === 'string' && /^(0|[1-9]\d{0,15})$/.test(key) ? Number(key) : key;
      assertInteger(`A key of ${name}`, id, 0, Number.MAX_SAFE_INTEGER);
      numbers.set(id, read(`${name} of ${id}`, entry));
    }
    return numbers;
  };
}

function entriesOf(name: string, value: unknown): Iterable<readonly [unknown, unknown]> {
  try {
    // Of a Map of any realm; throws for anything else.
    return [...Map.prototype.entries.call(value as Map<unknown, unknown>)];
  } catch {
    return fieldsOf(name, value, 'a Map or a plain object');
  }
}
