import type { DecodeEndEvent, RowResult } from '@foretoken/core';
import type { Trace } from '@foretoken/streams';

/** The last event. Throws for a trace that was cut. */
export function endOf({ events, header }: Trace): DecodeEndEvent {
  const end = events.at(-1);
  if (end?.type !== 'decode-end')
    throw new Error(`The trace of ${header.strategy} has no decode-end; record it again.`);
  return end;
}

/** What came out of the one row. */
export function resultOf(trace: Trace): RowResult {
  return endOf(trace).results[0];
}

/** When the last event happened, in milliseconds. */
export function durationOf(trace: Trace): number {
  return endOf(trace).atMs;
}

/** What a token reads as. */
export function tokenText({ header }: Trace, tokenId: number): string {
  return header.tokens[tokenId] ?? `[${tokenId}]`;
}
