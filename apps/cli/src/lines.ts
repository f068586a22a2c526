import { ForetokenError } from '@foretoken/core';
import type { Input } from './io.js';

/** One line of input, or why it cannot be read; `number` counts from 1. */
export interface InputLine {
  readonly number: number;
  readonly text: string;
  readonly error?: ForetokenError;
}

/** Most characters of a line; what is longer is thrown away while reading, not kept. */
export const LINE_LIMIT: number = 2 ** 20;

/** Reads UTF-8 lines as they arrive: `\n` or `\r\n`, a last line without either, a byte order mark dropped. */
export async function* readLines(
  stream: Input,
  limit: number = LINE_LIMIT,
): AsyncGenerator<InputLine, void, undefined> {
  const decoder = new TextDecoder();
  let number = 0;
  let pending = '';
  let length = 0;
  const take = (part: string): void => {
    length += part.length;
    pending = length > limit ? '' : pending + part;
  };
  const finish = (): InputLine => {
    const line = lineOf(++number, pending, length, limit);
    pending = '';
    length = 0;
    return line;
  };
  for await (const chunk of stream) {
    const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      take(text.slice(from, end));
      yield finish();
      from = end + 1;
    }
    take(text.slice(from));
  }
  take(decoder.decode());
  if (length > 0) yield finish();
}

function lineOf(number: number, pending: string, length: number, limit: number): InputLine {
  if (length > limit) {
    const details = { line: number, received: length, most: limit };
    const message = `The text has ${length} characters; the most is ${limit}.`;
    return { number, text: '', error: new ForetokenError('SOURCE_TOO_LONG', message, details) };
  }
  return checkedLine(number, pending.endsWith('\r') ? pending.slice(0, -1) : pending);
}

/** A line, with an `EMPTY_SOURCE` error when there is nothing to decode in it. */
export function checkedLine(number: number, text: string): InputLine {
  if (text.trim() !== '') return { number, text };
  const message = 'The text is empty; it needs at least one word.';
  return { number, text, error: new ForetokenError('EMPTY_SOURCE', message, { line: number }) };
}
