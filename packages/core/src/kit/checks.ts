import { ForetokenError } from '../contract/errors.js';
import type { Vocabulary } from '../contract/vocabulary.js';
import { show } from './show.js';

/**
 * `INVALID_ARGUMENT` for a value that an option cannot have. A promise is marked as handled, so that it cannot end the process
 * once it rejects.
 */
export function wrongValue(option: string, received: unknown, required: string, hint = ''): ForetokenError {
  if (isPromise(received)) Promise.resolve(received).catch(() => {});
  // A name may be odd too, where a reader is called by hand.
  const name = typeof option === 'string' ? option : show(option);
  return new ForetokenError('INVALID_ARGUMENT', `${name} must be ${required}, but was ${show(received)}.${hint}`, {
    option,
    received,
    required,
  });
}

/** Whether a value is a promise, of whatever library. */
export function isPromise(value: unknown): boolean {
  try {
    return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
  } catch {
    return false;
  }
}

/**
 * Throws `INVALID_ARGUMENT` for tokens of one row that lie outside the vocabulary or that no output holds, the end token and
 * the mask, and `LENGTH_LIMIT` for more than `max`.
 */
export function assertOutputTokens(
  option: string,
  row: number,
  tokenIds: Int32Array,
  { size, endTokenId }: Vocabulary,
  maskTokenId: number,
  max: number,
): void {
  if (tokenIds.length > max) {
    throw new ForetokenError(
      'LENGTH_LIMIT',
      `${option} of row ${row} has ${tokenIds.length} tokens, but there is room for at most ${max}.`,
      { option, row, received: tokenIds.length, max },
    );
  }
  for (const tokenId of tokenIds) {
    if (tokenId < 0 || tokenId >= size || tokenId === endTokenId || tokenId === maskTokenId) {
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `${option} of row ${row} holds token ${tokenId}; it may hold tokens from 0 to ${size - 1}, but not ${endTokenId === undefined ? '' : `the end token ${endTokenId} or `}the mask ${maskTokenId}.`,
        { option, row, received: tokenId },
      );
    }
  }
}

/** Throws `INVALID_ARGUMENT` unless `value` is an integer in `[min, max]`. */
export function assertInteger(name: string, value: unknown, min: number, max: number): asserts value is number {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  throw wrongValue(name, value, `an integer ${range}`);
}

/** Throws `INVALID_ARGUMENT` unless `value` is a number in `[min, max]`, the borders included unless `open`. */
export function assertNumber(
  name: string,
  value: unknown,
  min: number,
  max: number,
  open = false,
): asserts value is number {
  if (typeof value === 'number' && (open ? value > min && value < max : value >= min && value <= max)) return;
  throw wrongValue(name, value, `a number ${open ? `above ${min} and below ${max}` : `from ${min} to ${max}`}`);
}

/** Throws `INVALID_ARGUMENT` unless the model given as `option` has token ids of this vocabulary. */
export function assertVocabulary(option: string, received: Vocabulary, { size, endTokenId }: Vocabulary): void {
  if (received.size === size && received.endTokenId === endTokenId) return;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `${option} has ${tokensOf(received)}, but ${tokensOf({ size, endTokenId })} are required.`,
    { option, received: received.size, required: size },
  );
}

/** The size of a vocabulary and its end token, for a message. */
function tokensOf({ size, endTokenId }: Vocabulary): string {
  return `${size} tokens and ${endTokenId === undefined ? 'no end token' : `the end token ${endTokenId}`}`;
}
