import type { DecodeEvent } from '@foretoken/core';
import { ForetokenError } from '@foretoken/core';

/** Fields that hold 32-bit integers; all other arrays of numbers hold 32-bit floats. */
const INTEGERS: ReadonlySet<string> = new Set(['tokenIds', 'parents', 'origins', 'firstFrames', 'lastFrames']);
/** Fields whose missing numbers are impossible, not unknown. */
const IMPOSSIBLE: ReadonlySet<string> = new Set(['transitions', 'blankLogProbs']);
/** Fields that are arrays of objects or plain numbers. */
const PLAIN: ReadonlySet<string> = new Set(['results', 'hypotheses', 'alternatives', 'branches', 'repeats']);

const EVENT_TYPES: readonly string[] = ['token-commit', 'canvas-revise', 'draft-end', 'decode-end'];

/**
 * An event as one line of JSON: typed arrays become arrays, numbers that are not finite `null`, and times and logarithms are rounded
 * to a thousandth.
 */
export function eventToJson(event: DecodeEvent): string {
  return toJson(event);
}

/** Reads what `eventToJson` wrote; arrays of numbers are typed arrays again. Throws `INVALID_ARGUMENT` for anything else. */
export function eventFromJson(json: string): DecodeEvent {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new ForetokenError('INVALID_ARGUMENT', 'The event is no JSON.', { received: json }, { cause });
  }
  if (isEvent(value)) return revived('', value) as DecodeEvent;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `The JSON is no event of a decode: its type must be one of ${EVENT_TYPES.join(', ')}.`,
    { received: json, required: EVENT_TYPES },
  );
}

/** Whether a value that JSON gave is an event by its type. */
export function isEvent(value: unknown): value is { readonly type: DecodeEvent['type'] } {
  return typeof value === 'object' && value !== null && 'type' in value && EVENT_TYPES.includes(String(value.type));
}

/** JSON on one line, with typed arrays as arrays. */
export function toJson(value: object): string {
  return JSON.stringify(value, plain);
}

function plain(key: string, value: unknown): unknown {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return Array.from(value as Float32Array, (one) => (Number.isFinite(one) ? rounded(one) : null));
  }
  return typeof value === 'number' && key.endsWith('Ms') ? rounded(value) : value;
}

/** A thousandth of a millisecond, or of a natural logarithm, is more than anyone can see. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** Arrays of numbers become typed arrays again. */
export function revived(key: string, value: unknown, lattice = false): unknown {
  if (Array.isArray(value)) {
    if (PLAIN.has(key)) return value.map((one) => revived('', one));
    const missing = lattice || IMPOSSIBLE.has(key) ? Number.NEGATIVE_INFINITY : Number.NaN;
    return INTEGERS.has(key)
      ? Int32Array.from(value as number[])
      : Float32Array.from(value as (number | null)[], (one) => one ?? missing);
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, revived(name, one, lattice || key === 'lattice')]),
  );
}
