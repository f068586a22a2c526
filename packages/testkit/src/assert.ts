/** What a law that is broken throws; test runners show `actual` beside `expected`. */
export class AssertionError extends Error {
  readonly actual: unknown;
  readonly expected: unknown;

  constructor(message: string, actual: unknown, expected: unknown, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AssertionError';
    this.actual = actual;
    this.expected = expected;
  }
}

/** A failed call is to have thrown one of these: the very value, an error that a test accepts, or one of a class. */
type Expected = ((error: unknown) => boolean) | object;

/** The assertions that the laws are written in, as `node:assert/strict` has them, but for any JavaScript engine. */
interface Assert {
  ok(value: unknown, message?: string): asserts value;
  equal<Value>(actual: unknown, expected: Value, message?: string): asserts actual is Value;
  deepEqual<Value>(actual: unknown, expected: Value, message?: string): asserts actual is Value;
  rejects(call: Promise<unknown> | (() => Promise<unknown>), expected: Expected, message?: string): Promise<void>;
}

const assert: Assert = {
  ok(value, message = 'It must hold.') {
    if (!value) throw new AssertionError(message, value, true);
  },
  equal(actual, expected, message = 'The values must be equal.') {
    if (!Object.is(actual, expected))
      throw new AssertionError(`${message}${shown(actual, expected)}`, actual, expected);
  },
  deepEqual(actual, expected, message = 'The values must be equal in all their parts.') {
    if (!isDeepEqual(actual, expected)) {
      throw new AssertionError(`${message}${shown(actual, expected)}`, actual, expected);
    }
  },
  async rejects(call, expected, message = 'It must fail with the error expected.') {
    let error: unknown;
    try {
      await (typeof call === 'function' ? call() : call);
    } catch (thrown) {
      error = thrown;
      if (typeof expected === 'function' ? expected(error) : isDeepEqual(error, expected)) return;
      throw new AssertionError(`${message} It failed with: ${String(error)}`, error, expected);
    }
    throw new AssertionError(`${message} It did not fail.`, undefined, expected);
  },
};

export default assert;

/** Both values, where they are short. */
function shown(actual: unknown, expected: unknown): string {
  const [left, right] = [actual, expected].map((value) => {
    try {
      return JSON.stringify(value, asList) ?? String(value);
    } catch {
      return String(value);
    }
  });
  return ` Actual: ${left?.slice(0, 500)}. Expected: ${right?.slice(0, 500)}.`;
}

/** Typed arrays as lists of numbers, wherever they stand in a value. */
function asList(_name: string, value: unknown): unknown {
  return ArrayBuffer.isView(value) && Symbol.iterator in value ? Array.from(value as Int32Array) : value;
}

/** Whether two values are of one kind and equal in all their own parts; numbers are compared with `Object.is`. */
function isDeepEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Error && (a.message !== (b as Error).message || a.name !== (b as Error).name)) return false;
  if (a instanceof Map || a instanceof Set) return isDeepEqual([...a], [...(b as Map<unknown, unknown>)]);
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every(
    (key) =>
      Object.hasOwn(b, key) && isDeepEqual((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
  );
}
