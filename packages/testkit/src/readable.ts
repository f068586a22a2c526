import { ForetokenError } from '@foretoken/core';
import { show, thrownWords, wrongValue } from '@foretoken/core/kit';
import { AssertionError } from './assert.js';

/**
 * A law over what a decoder gave, which may be anything: where it is of another shape than the law reads, that is how the law is
 * broken, in words that a test runner shows.
 */
export function lawOver<Result>(name: string, value: unknown, law: () => Result): Result {
  try {
    return law();
  } catch (error) {
    if (ForetokenError.isInstance(error) || error instanceof AssertionError) throw error;
    throw new AssertionError(`${name} cannot be read, ${show(value)}: ${thrownWords(error)}`, value, name);
  }
}

/** Most scores of a row: more is no vocabulary. */
const MAX_SCORES = 2 ** 24;

/** Scores as an array of doubles, copied. Throws `INVALID_ARGUMENT` for anything but numbers in an array. */
export function numbersOf(name: string, scores: unknown): Float64Array {
  const numbers = copied(scores);
  if (numbers !== undefined) return numbers;
  throw wrongValue(name, scores, 'an array or a typed array of numbers');
}

function copied(value: unknown): Float64Array | undefined {
  try {
    if (!Array.isArray(value) && !ArrayBuffer.isView(value)) return undefined;
    const scores = value as ArrayLike<unknown>;
    if (!(scores.length <= MAX_SCORES)) return undefined;
    for (let index = 0; index < scores.length; index++) if (typeof scores[index] !== 'number') return undefined;
    return Float64Array.from(scores as ArrayLike<number>);
  } catch {
    return undefined;
  }
}

/** Throws `INVALID_ARGUMENT` for what is no function. */
export function assertFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw wrongValue(name, value, 'a function');
}
