import { ForetokenError } from '@foretoken/core';
import { LINE_LIMIT, MetricsError, textLines } from '@foretoken/metrics';
import { usageError } from './errors.js';

/** One line of input, or why it cannot be read; `number` counts from 1. */
export interface InputLine {
  readonly number: number;
  readonly text: string;
  readonly error?: ForetokenError | undefined;
}

/** Reads lines as `textLines` does; one that is empty or too long has an error. Throws `INVALID_ARGUMENT` for UTF-16. */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array | string>,
  limit: number = LINE_LIMIT,
): AsyncGenerator<InputLine, void, undefined> {
  try {
    for await (const { number, text, length } of textLines(chunks, limit)) {
      yield length > limit ? tooLong(number, length, limit) : checkedLine(number, text);
    }
  } catch (error) {
    throw error instanceof MetricsError ? usageError(error.message) : error;
  }
}

function tooLong(number: number, length: number, limit: number): InputLine {
  const details = { line: number, received: length, max: limit };
  const message = `The text has ${length} characters; the most is ${limit}.`;
  return { number, text: '', error: new ForetokenError('SOURCE_TOO_LONG', message, details) };
}

/** A line, with an `EMPTY_SOURCE` error when there is nothing to decode in it. */
export function checkedLine(number: number, text: string): InputLine {
  if (text.trim() !== '') return { number, text };
  const message = 'The text is empty; it needs at least one word.';
  return { number, text, error: new ForetokenError('EMPTY_SOURCE', message, { line: number }) };
}
