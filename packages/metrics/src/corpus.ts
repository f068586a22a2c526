/** Why a corpus cannot be scored. */
export type MetricsErrorCode =
  | 'EMPTY_CORPUS'
  | 'NO_REFERENCES'
  | 'LINE_COUNT_MISMATCH'
  | 'INVALID_OPTION'
  | 'INVALID_LINES';

/** A corpus or option that cannot be scored; `code` is stable, the message may be reworded. */
export class MetricsError extends Error {
  /** What cannot be scored. */
  readonly code: MetricsErrorCode;
  /** What was received, and what is required. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: MetricsErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = 'MetricsError';
    this.code = code;
    this.details = details;
  }
}

/** One stream per reference translator: `references[translator][line]`, each as long as the hypotheses. */
export type References = readonly (readonly string[])[];

/**
 * Throws `EMPTY_CORPUS`, `NO_REFERENCES` or `LINE_COUNT_MISMATCH` unless every stream has a line for each hypothesis, and
 * `INVALID_LINES` for anything but arrays of strings.
 */
export function assertCorpus(hypotheses: readonly string[], references: References): void {
  assertLines('hypotheses', hypotheses);
  const streams = lengthOf(references);
  if (streams === undefined) throw invalidLines('references', references, 'an array of streams of lines');
  for (let stream = 0; stream < streams; stream++) assertLines(`references[${stream}]`, entryOf(references, stream));
  if (hypotheses.length === 0) {
    throw new MetricsError('EMPTY_CORPUS', 'There are no hypotheses; a corpus score needs at least one line.');
  }
  if (references.length === 0) {
    throw new MetricsError('NO_REFERENCES', 'There are no references; pass at least one stream of reference lines.');
  }
  for (const [stream, lines] of references.entries()) {
    if (lines.length !== hypotheses.length) {
      throw new MetricsError(
        'LINE_COUNT_MISMATCH',
        `Reference stream ${stream} has ${lines.length} lines, but there are ${hypotheses.length} hypotheses.`,
        { stream, received: lines.length, required: hypotheses.length },
      );
    }
  }
}

function assertLines(name: string, lines: unknown): void {
  const length = lengthOf(lines);
  if (length === undefined) throw invalidLines(name, lines, 'an array of lines');
  for (let line = 0; line < length; line++) assertText(`${name}[${line}]`, entryOf(lines, line));
}

function assertText(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw invalidLines(name, value, 'a string');
}

/** Length of an array; `undefined` for anything else, also for a proxy that was revoked. */
function lengthOf(value: unknown): number | undefined {
  try {
    return Array.isArray(value) ? value.length : undefined;
  } catch {
    return undefined;
  }
}

/** An entry of an array; `undefined` where reading it fails. */
function entryOf(list: unknown, index: number): unknown {
  try {
    return (list as readonly unknown[])[index];
  } catch {
    return undefined;
  }
}

function invalidLines(name: string, received: unknown, required: string): MetricsError {
  const kind =
    received === null ? 'null' : lengthOf(received) === undefined ? `of the type ${typeof received}` : 'an array';
  return new MetricsError('INVALID_LINES', `${name} must be ${required}, but was ${kind}.`, { received, required });
}

/** The references of a single line, one stream for each. */
export function singleLineStreams(reference: string | readonly string[]): References {
  if (typeof reference === 'string') return [[reference]];
  if (lengthOf(reference) === undefined) throw invalidLines('reference', reference, 'a string or an array of strings');
  assertLines('reference', reference);
  return Array.from(reference, (text: string) => [text]);
}

/** How often each n-gram occurs. */
export type Counts = ReadonlyMap<string, number>;

export function count(items: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

// Python's str.split() and str.rstrip() decide in sacreBLEU; JavaScript's \s differs: it has U+FEFF and lacks
// U+001C..U+001F and U+0085.
// biome-ignore lint/suspicious/noControlCharactersInRegex: Python counts these as whitespace.
const WHITESPACE = /[\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const WHITESPACE_RUNS: RegExp = new RegExp(`${WHITESPACE.source}+`);

/** Splits on runs of whitespace as Python's `str.split()` does: no empty words. */
export function splitWords(text: string): string[] {
  return text.split(WHITESPACE_RUNS).filter((word) => word !== '');
}

/** Removes trailing whitespace as Python's `str.rstrip()` does, in one pass. */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && WHITESPACE.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
