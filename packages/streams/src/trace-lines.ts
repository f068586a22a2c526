import { type DecodeEvent, ForetokenError } from '@foretoken/core';
import {
  checkOptions,
  fields,
  integer,
  number,
  type OptionReader,
  type OptionTable,
  oneOf,
  text as readText,
  wrongValue,
} from '@foretoken/core/kit';
import { isEvent, milliseconds, readEvent } from './event-fields.js';
import { toJson } from './event-json.js';
import type { Ceiling, Trace, TraceHeader } from './trace.js';

/** Values by names that anyone may choose. */
function recordOf<Value>(read: OptionReader<Value>): OptionReader<Readonly<Record<string, Value>>> {
  return (name, value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongValue(name, value, 'an object');
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, read(`${name}.${key}`, one)]));
  };
}

const HEADER: OptionTable<TraceHeader> = {
  type: oneOf('trace'),
  version: (name, value) => {
    if (value === 1) return value;
    throw wrongValue(name, value, '1');
  },
  strategy: readText,
  task: readText,
  input: readText,
  seed: integer(0, 2 ** 32 - 1),
  options: recordOf(number(-Number.MAX_VALUE, Number.MAX_VALUE)),
  text: readText,
  runtime: readText,
  chosen: oneOf('middle', 'fastest'),
  repeats: (name, value) => {
    if (Array.isArray(value)) return value.map((one, index) => milliseconds(`${name}[${index}]`, one));
    throw wrongValue(name, value, 'an array of milliseconds');
  },
  undecided: integer(0),
  tokens: recordOf(readText),
  ceiling: fields<Ceiling>({ forwards: integer(0), milliseconds }, ['forwards', 'milliseconds']),
};
const REQUIRED = [
  'strategy',
  'task',
  'input',
  'seed',
  'options',
  'text',
  'runtime',
  'chosen',
  'repeats',
  'tokens',
] as const;

/**
 * A trace as JSON lines: the header, then an event a line. The playground and the pages of the site replay it. Throws
 * `INVALID_ARGUMENT` for what is no trace.
 */
export function writeTrace(trace: Trace): string {
  const { header, events } = checkOptions<Trace>(
    'writeTrace',
    trace,
    {
      header: (name, value) => {
        if (isHeader(value)) return value;
        throw wrongValue(name, value, 'the header of a trace, whose type is "trace"');
      },
      events: (name, value) => {
        if (Array.isArray(value) && value.every(isEvent)) return value;
        throw wrongValue(name, value, 'an array of events of a decode');
      },
    },
    ['header', 'events'],
  );
  return `${[header, ...events].map(toJson).join('\n')}\n`;
}

/** Reads what `writeTrace` wrote. Throws `INVALID_ARGUMENT` for anything else, saying which line it is. */
export function readTrace(text: string): Trace {
  // What an editor may have put before it.
  const lines = readText('text', text)
    .replace(/^\ufeff/, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
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
  if ((events.at(-1) as DecodeEvent | undefined)?.type !== 'decode-end') {
    throw wrong('The trace is cut: its last line must be a decode-end.');
  }
  return {
    header: checkOptions<TraceHeader>('The header of a trace', header, HEADER, REQUIRED),
    events: events.map((event, index) => readEvent(`line[${index + 2}]`, event)),
  };
}

function isHeader(value: unknown): value is TraceHeader {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'trace';
}

function wrong(message: string, cause?: unknown): ForetokenError {
  return new ForetokenError('INVALID_ARGUMENT', message, {}, { cause });
}
