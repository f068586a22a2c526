import type { DecodeStatistics } from '@foretoken/core';
import type { Correction } from '@foretoken/correction';
import { RECORD_VERSION } from './decode-writers.js';
import { type Io, toJson, write } from './io.js';
import type { RawLine } from './raw-lines.js';
import { type Style, safeText } from './terminal/style.js';

/** Prints what comes of each line, in the order of the lines. */
export interface CorrectionWriter {
  corrected(line: RawLine, correction: Correction): Promise<void>;
  /** A part of a line that was not looked at. */
  passed(line: RawLine): Promise<void>;
  end(): Promise<void>;
}

/** The corrected text, each line with the ending it had. */
export class TextWriter implements CorrectionWriter {
  readonly #io: Io;

  constructor(io: Io) {
    this.#io = io;
  }

  async corrected({ ending }: RawLine, { text }: Correction): Promise<void> {
    await this.#write(text, ending);
  }

  async passed({ text, ending }: RawLine): Promise<void> {
    await this.#write(text, ending);
  }

  async end(): Promise<void> {}

  #write(text: string, ending: string): Promise<void> {
    // A terminal must not obey what is in the text; a file or a pipe gets it as it is.
    const shown = this.#io.stdout.isTTY === true ? safe(text) : text;
    return write(this.#io.stdout, shown + ending);
  }
}

/** The text with what was taken out and what was put in, side by side. */
export class DiffWriter implements CorrectionWriter {
  readonly #io: Io;
  readonly #style: Style;

  constructor(io: Io, style: Style) {
    this.#io = io;
    this.#style = style;
  }

  async corrected({ text, ending }: RawLine, { edits }: Correction): Promise<void> {
    let shown = '';
    let read = 0;
    for (const { start, end, before, after } of edits) {
      shown += safe(text.slice(read, start));
      if (before !== '') shown += this.#style.removed(safe(before));
      if (after !== '') shown += this.#style.added(safe(after));
      read = end;
    }
    await write(this.#io.stdout, shown + safe(text.slice(read)) + ending);
  }

  async passed({ text, ending }: RawLine): Promise<void> {
    await write(this.#io.stdout, safe(text) + ending);
  }

  async end(): Promise<void> {}
}

/** A tab moves the cursor only, and a sentence may go on in the next line. */
function safe(text: string): string {
  return text
    .split(/(\t|\r?\n)/)
    .map((part, index) => (index % 2 === 0 ? safeText(part) : part))
    .join('');
}

/** All lines with their edits as one object at the end. */
export class CorrectionJsonWriter implements CorrectionWriter {
  readonly #io: Io;
  readonly #rows: object[] = [];
  #statistics: DecodeStatistics = { forwards: 0, tokens: 0, totalMs: 0 };

  constructor(io: Io) {
    this.#io = io;
  }

  async corrected({ number, text: source, ending }: RawLine, correction: Correction): Promise<void> {
    const { text, edits, leftAlone, statistics } = correction;
    this.#rows.push({ line: number, source, text, ending, edits, leftAlone, statistics });
    this.#statistics = sum(this.#statistics, statistics);
  }

  async passed({ number, text, ending, cut }: RawLine): Promise<void> {
    this.#rows.push({ line: number, source: text, text, ending, cut, edits: [], leftAlone: [] });
  }

  async end(): Promise<void> {
    const record = { version: RECORD_VERSION, rows: this.#rows, statistics: this.#statistics };
    await write(this.#io.stdout, `${toJson(record)}\n`);
  }
}

function sum(a: DecodeStatistics, b: DecodeStatistics): DecodeStatistics {
  const counted = { forwards: a.forwards + b.forwards, tokens: a.tokens + b.tokens, totalMs: a.totalMs + b.totalMs };
  const [one, other] = [a.speculation, b.speculation];
  if (one === undefined || other === undefined) return { ...counted, speculation: one ?? other };
  const speculation = {
    draftForwards: one.draftForwards + other.draftForwards,
    proposed: one.proposed + other.proposed,
    evaluated: one.evaluated + other.evaluated,
    accepted: one.accepted + other.accepted,
  };
  return { ...counted, speculation };
}
