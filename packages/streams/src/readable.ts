import {
  callback,
  checkOptions,
  hasMethods,
  immediate,
  type OptionTable,
  signal as readSignal,
  wrongValue,
} from '@foretoken/core/kit';

/** What ends a stream beside its reader. */
export interface StreamOptions {
  /** Stops the decode from outside; reading then fails with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: OptionTable<StreamOptions> = { signal: readSignal };

/** Begins a decode that the given signal stops: what `model.stream` or a decoder's `decode` gives. */
export type StartDecode<Part> = (signal: AbortSignal) => AsyncIterable<Part>;

/**
 * A decode as a Web Stream, of text or of events.
 *
 * Nothing is decoded before it is read, and never more than one part ahead of the reader. Cancelling the stream aborts the signal
 * that `start` was given, so the decode ends before its next forward and releases what it opened. An error of the decode is the
 * stream's.
 *
 * Throws `INVALID_ARGUMENT`.
 */
export function readable<Part>(start: StartDecode<Part>, given: StreamOptions = {}): ReadableStream<Part> {
  const begin = callback<StartDecode<Part>>(immediate)('start', start);
  const { signal } = checkOptions('readable', given, OPTIONS);
  const stopped = new AbortController();
  const either = signal === undefined ? stopped.signal : AbortSignal.any([signal, stopped.signal]);
  let parts: AsyncIterator<Part> | undefined;
  let released: Promise<unknown> | undefined;
  return new ReadableStream<Part>(
    {
      start(controller) {
        const stop = (): void => {
          controller.error(either.reason);
          // At once, whether or not anyone reads on. The stream has failed with the reason; what fails after it is of no use.
          released = parts?.return?.().catch(() => undefined);
        };
        either.addEventListener('abort', stop, { once: true });
      },
      async pull(controller) {
        either.throwIfAborted();
        parts ??= iteratorOf(begin(either));
        const { value, done } = await parts.next();
        if (either.aborted) return;
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel(reason) {
        stopped.abort(reason);
        await released;
      },
    },
    { highWaterMark: 0 },
  );
}

function iteratorOf<Part>(decode: AsyncIterable<Part>): AsyncIterator<Part> {
  if (isAsyncIterable(decode)) {
    const parts = decode[Symbol.asyncIterator]();
    if (hasMethods(parts, 'next')) return parts;
  }
  throw wrongValue('What start gives', decode, 'a decode, an async iterable of its events');
}

function isAsyncIterable(value: unknown): boolean {
  try {
    return typeof (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === 'function';
  } catch {
    return false;
  }
}
