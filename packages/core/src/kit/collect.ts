import { ForetokenError } from '../contract/errors.js';
import type { DecodeEndEvent, DecodeEvent } from '../contract/events.js';
import { wrongValue } from './checks.js';

/** Runs a decode to its end and returns the last event: results and statistics. Rethrows what the decode throws. */
export async function collect(events: AsyncIterable<DecodeEvent>): Promise<DecodeEndEvent> {
  if (
    typeof (events as Partial<AsyncIterable<DecodeEvent>> | null | undefined)?.[Symbol.asyncIterator] !== 'function'
  ) {
    throw wrongValue('events', events, 'what decode(model, request) returns');
  }
  let last: DecodeEvent | undefined;
  for await (const event of events) last = event;
  if (last?.type !== 'decode-end') {
    throw new ForetokenError('RUNTIME_FAILURE', 'The decoder stopped without a decode-end event.', {
      lastEvent: last?.type ?? null,
    });
  }
  return last;
}
