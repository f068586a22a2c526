import { ForetokenError } from '@foretoken/core';
import { callback, immediate } from '@foretoken/core/kit';
import { toJson } from './event-json.js';
import { readable, type StartDecode, type StreamOptions } from './readable.js';

/** What an answer of a server says of itself when it is such a stream. */
export const SERVER_SENT_EVENTS_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // Some proxies would keep the pieces until they have many.
  'x-accel-buffering': 'no',
};

/**
 * A decode as server-sent events, UTF-8: each part is a message whose data is JSON, in its order. The last message is of the type
 * `end`. Where the decode fails there is one of the type `failure` instead, with the error's code and message; the connection then
 * ends as usual, since the status was sent long before.
 *
 * Back-pressure and cancelling are those of `readable`. Throws `INVALID_ARGUMENT`.
 */
export function serverSentEvents<Part extends string | object>(
  start: StartDecode<Part>,
  options: StreamOptions = {},
): ReadableStream<Uint8Array> {
  const begin = callback<StartDecode<Part>>(immediate)('start', start);
  const encoder = new TextEncoder();
  return readable(async function* (signal) {
    try {
      for await (const part of begin(signal)) yield encoder.encode(`data: ${lineOf(part)}\n\n`);
    } catch (error) {
      // Nobody reads any more.
      signal.throwIfAborted();
      yield encoder.encode(`event: failure\ndata: ${lineOf(failureOf(error))}\n\n`);
      return;
    }
    yield encoder.encode('event: end\ndata: {}\n\n');
  }, options);
}

/** JSON has no line break outside of strings, and escapes those within. */
function lineOf(part: string | object): string {
  return typeof part === 'string' ? JSON.stringify(part) : toJson(part);
}

/** What a page may know: errors that are not ours may speak of the server's insides. */
function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  if (ForetokenError.isInstance(error)) return { code: error.code, message: error.message };
  return { code: 'UNEXPECTED', message: 'The decode failed.' };
}
