import type { DecodeEvent } from '@foretoken/core';
import type { Trace, TraceHeader } from './trace.js';

/** Fields that hold 32-bit integers; all other arrays of numbers hold 32-bit floats. */
const INTEGERS = new Set(['tokenIds', 'parents', 'origins', 'firstFrames', 'lastFrames']);
/** Fields whose missing numbers are impossible, not unknown. */
const IMPOSSIBLE = new Set(['transitions', 'blankLogProbs']);
/** Fields that are arrays of objects or plain numbers. */
const PLAIN = new Set(['results', 'hypotheses', 'alternatives', 'branches', 'repeats']);

/** A trace as JSON lines: the header, then an event a line, as `foretoken decode --jsonl` prints them. */
export function writeTrace({ header, events }: Trace): string {
  return `${[header, ...events].map((line) => JSON.stringify(line, plain)).join('\n')}\n`;
}

function plain(key: string, value: unknown): unknown {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return Array.from(value as Float32Array, (one) => (Number.isFinite(one) ? rounded(one) : null));
  }
  return typeof value === 'number' && key.endsWith('Ms') ? rounded(value) : value;
}

/** A thousandth of a millisecond, or of a natural logarithm, is more than anyone can see. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** Reads what `writeTrace` wrote. Throws for anything else, saying which line it is. */
export function readTrace(text: string): Trace {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const records = lines.map((line, index) => {
    try {
      return revived('', JSON.parse(line)) as { readonly type?: unknown };
    } catch (cause) {
      throw new Error(`Line ${index + 1} of the trace is no JSON.`, { cause });
    }
  });
  const [header, ...events] = records;
  if (header?.type !== 'trace') throw new Error('The first line of a trace must have the type "trace".');
  if ((header as TraceHeader).version !== 1) throw new Error('This page reads traces of version 1 only.');
  if (events.at(-1)?.type !== 'decode-end') throw new Error('The trace is cut: its last line must be a decode-end.');
  return { header: header as TraceHeader, events: events as unknown as DecodeEvent[] };
}

/** Arrays of numbers become typed arrays again. */
function revived(key: string, value: unknown, lattice = false): unknown {
  if (Array.isArray(value)) {
    if (PLAIN.has(key)) return value.map((one) => revived('', one));
    const missing = lattice || IMPOSSIBLE.has(key) ? Number.NEGATIVE_INFINITY : Number.NaN;
    return INTEGERS.has(key)
      ? Int32Array.from(value as number[])
      : Float32Array.from(value as (number | null)[], (one) => one ?? missing);
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, revived(name, one, lattice || key === 'lattice')]),
  );
}
