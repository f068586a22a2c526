import { ForetokenError } from '../contract/errors.js';
import { wrongValue } from './checks.js';

/** The typed arrays that are looked for, by the names that they have in every realm. */
interface TypedArrays {
  readonly Int32Array: Int32Array;
  readonly Float32Array: Float32Array;
  readonly Uint8Array: Uint8Array;
  readonly Uint16Array: Uint16Array;
}

/** Whether a value is a typed array of this kind, of this realm or another. It never throws, as `instanceof` does for some proxies. */
export function isTypedArray<Name extends keyof TypedArrays>(name: Name, value: unknown): value is TypedArrays[Name] {
  // A proxy is no view.
  return ArrayBuffer.isView(value) && (value as Int32Array)[Symbol.toStringTag] === name;
}

/** What `read` gives of a value whose fields may be anything; what reading them throws is `INVALID_ARGUMENT` too. */
export function readingOf<Result>(name: string, value: unknown, required: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw ForetokenError.isInstance(error) ? error : wrongValue(name, value, required);
  }
}
