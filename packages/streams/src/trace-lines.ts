import { type DecodeEvent, ForetokenError } from '@foretoken/core';
import { isEvent, revived, toJson } from './event-json.js';
import type { Trace, TraceHeader } from './trace.js';

/** A trace as JSON lines: the header, then an event a line. The playground and the pages of the site replay it. */
export function writeTrace({ header, events }: Trace): string {
  return `${[header, ...events].map(toJson).join('\n')}\n`;
}

/** Reads what `writeTrace` wrote. Throws `INVALID_ARGUMENT` for anything else, saying which line it is. */
export function readTrace(text: string): Trace {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const records = lines.map((line, index) => {
    try {
      return JSON.parse(line) as unknown;
    } catch (cause) {
      throw wrong(`Line ${index + 1} of the trace is no JSON.`, cause);
    }
  });
  const [header, ...events] = records;
  if (!isHeader(header)) throw wrong('The first line of a trace must have the type "trace".');
  if (header.version !== 1) throw wrong('This release reads traces of version 1 only.');
  for (const [index, event] of events.entries()) {
    if (!isEvent(event)) throw wrong(`Line ${index + 2} of the trace is no event of a decode.`);
  }
  const read = events.map((event) => revived('', event) as DecodeEvent);
  if (read.at(-1)?.type !== 'decode-end') throw wrong('The trace is cut: its last line must be a decode-end.');
  return { header: revived('', header) as TraceHeader, events: read };
}

function isHeader(value: unknown): value is TraceHeader {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'trace';
}

function wrong(message: string, cause?: unknown): ForetokenError {
  return new ForetokenError('INVALID_ARGUMENT', message, {}, cause === undefined ? {} : { cause });
}
