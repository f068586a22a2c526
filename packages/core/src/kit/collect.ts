import { ForetokenError } from '../contract/errors.js';
import type { DecodeEndEvent, DecodeEvent } from '../contract/events.js';
import { wrongValue } from './checks.js';
import { hasMethods } from './options.js';

/** Runs a decode to its end and returns the last event: results and statistics. Rethrows what the decode throws. */
export async function collect(events: AsyncIterable<DecodeEvent>): Promise<DecodeEndEvent> {
  const iterator = iteratorOf(events);
  let last: DecodeEvent | undefined;
  for await (const event of { [Symbol.asyncIterator]: () => iterator }) last = event;
  if (last?.type !== 'decode-end') {
    throw new ForetokenError('RUNTIME_FAILURE', 'The decoder stopped without a decode-end event.', {
      lastEvent: last?.type ?? null,
    });
  }
  return last;
}

/** Throws `INVALID_ARGUMENT` for what is no stream of events, whatever reading it does. */
function iteratorOf(events: AsyncIterable<DecodeEvent>): AsyncIterator<DecodeEvent> {
  let iterator: AsyncIterator<DecodeEvent> | undefined;
  try {
    iterator = events[Symbol.asyncIterator]();
  } catch {}
  if (iterator !== undefined && hasMethods(iterator, 'next')) return iterator;
  throw wrongValue('events', events, 'what decode(model, request) returns');
}
