/**
 * What a spread in a call does with a short list. A call takes some hundred thousand arguments at most, fewer in a thread with
 * a small stack, and a list as long as a text, a vocabulary or a batch may have more.
 */

/** The largest of the numbers and of `floor`. */
export function largest(numbers: Iterable<number>, floor: number = Number.NEGATIVE_INFINITY): number {
  let max = floor;
  for (const number of numbers) max = Math.max(max, number);
  return max;
}

/** The smallest of the numbers and of `ceiling`. */
export function smallest(numbers: Iterable<number>, ceiling: number = Number.POSITIVE_INFINITY): number {
  let min = ceiling;
  for (const number of numbers) min = Math.min(min, number);
  return min;
}

/** Puts values at the end of a list. */
export function append<Value>(list: Value[], values: Iterable<Value>): void {
  for (const value of values) list.push(value);
}

/** Lists of token ids, one after the other. */
export function joinTokens(...parts: readonly ArrayLike<number>[]): Int32Array {
  const joined = new Int32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
