import type { DecodeEvent } from '@foretoken/core';
import { ForetokenError } from '@foretoken/core';
import { text as readText, thrownWords, wrongValue } from '@foretoken/core/kit';
import { EVENT_TYPES, isEvent, readEvent } from './event-fields.js';

/**
 * An event as one line of JSON: typed arrays become arrays, numbers that are not finite `null`, and times and logarithms are rounded
 * to a thousandth. Throws `INVALID_ARGUMENT` for what is no event.
 */
export function eventToJson(event: DecodeEvent): string {
  if (isEvent(event)) return toJson(event);
  throw wrongValue('event', event, `an event of a decode, whose type is one of ${EVENT_TYPES.join(', ')}`);
}

/**
 * Reads what `eventToJson` wrote; arrays of numbers are typed arrays again. Throws `INVALID_ARGUMENT` for anything else, naming the
 * field.
 */
export function eventFromJson(json: string): DecodeEvent {
  let value: unknown;
  try {
    value = JSON.parse(readText('json', json));
  } catch (cause) {
    if (ForetokenError.isInstance(cause)) throw cause;
    throw new ForetokenError('INVALID_ARGUMENT', 'The event is no JSON.', { received: json }, { cause });
  }
  return readEvent('event', value);
}

/** JSON on one line, with typed arrays as arrays. Throws `INVALID_ARGUMENT` for values that JSON has no word for. */
export function toJson(value: object): string {
  try {
    return JSON.stringify(value, plain);
  } catch (cause) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `This cannot be written as JSON: ${thrownWords(cause)}.`,
      { received: value, required: 'plain values and arrays of numbers' },
      { cause },
    );
  }
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
