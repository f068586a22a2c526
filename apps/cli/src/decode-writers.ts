import type { DecodeEvent, DecodeStatistics, FinishReason, ForetokenError, Hypothesis } from '@foretoken/core';
import { append } from '@foretoken/core/kit';
import { errorRecord } from './errors.js';
import { toJson } from './io.js';
import type { InputLine } from './lines.js';
import type { Sink } from './sinks.js';
import type { StrategyName } from './strategy-names.js';
import { oneLine, safeText } from './terminal/style.js';

/** Version of the records that `--json` and `--jsonl` print. */
export const RECORD_VERSION = 1;

export interface DecodedLine {
  readonly line: number;
  readonly source: string;
  readonly text: string;
  readonly tokenIds: Int32Array;
  readonly finishReason: FinishReason;
  /** Source tokens that stand for text the tokenizer does not know. */
  readonly unknownTokens: number;
  /** Of this line; absent where it was decoded together with others. */
  readonly statistics?: DecodeStatistics | undefined;
  /** All hypotheses of the line, best first. */
  readonly hypotheses: readonly (Hypothesis & { readonly text: string })[];
}

/** Text of output tokens, of models whose outputs grow as texts. */
export type TextOf = ((tokenIds: Int32Array) => string) | undefined;

/** Prints what comes of each line, in the order of the lines. */
export interface DecodeWriter {
  event(line: number, event: DecodeEvent, textOf: TextOf): Promise<void>;
  decoded(result: DecodedLine): Promise<void>;
  failed(line: InputLine, error: ForetokenError): Promise<void>;
  /** After the last line, or when decoding stops before it. */
  end(): Promise<void>;
}

/**
 * One line of output for each line of input, whatever line breaks the model's tokens hold; on a terminal it grows as tokens are
 * committed.
 */
export class PlainWriter implements DecodeWriter {
  readonly #sink: Sink;
  readonly #live: boolean;
  #shown = '';
  #tokenIds: number[] = [];

  constructor(sink: Sink) {
    this.#sink = sink;
    this.#live = sink.live;
  }

  async event(_line: number, event: DecodeEvent, textOf: TextOf): Promise<void> {
    if (!this.#live || textOf === undefined || event.type !== 'token-commit') return;
    append(this.#tokenIds, event.tokenIds);
    const text = safeText(oneLine(textOf(Int32Array.from(this.#tokenIds))));
    // A token may change how the one before it reads; then wait for the whole line.
    if (!text.startsWith(this.#shown)) return;
    await this.#sink.write(text.slice(this.#shown.length));
    this.#shown = text;
  }

  async decoded({ text }: DecodedLine): Promise<void> {
    const line = this.#live ? safeText(oneLine(text)) : oneLine(text);
    const rest = line.startsWith(this.#shown) ? line.slice(this.#shown.length) : `\n${line}`;
    this.#begin();
    await this.#sink.write(`${rest}\n`);
  }

  async failed(): Promise<void> {
    // An empty line keeps output and input side by side.
    await this.decoded({ text: '' } as DecodedLine);
  }

  async end(): Promise<void> {
    if (this.#shown !== '') await this.#sink.write('\n');
    this.#begin();
  }

  #begin(): void {
    this.#shown = '';
    this.#tokenIds = [];
  }
}

function errorRow({ number, text }: InputLine, error: ForetokenError) {
  return { line: number, source: text, error: errorRecord(error) };
}

/** Everything as one object at the end. */
export class JsonWriter implements DecodeWriter {
  readonly #sink: Sink;
  readonly #strategy: StrategyName;
  readonly #signal: AbortSignal;
  readonly #rows: object[] = [];

  constructor(sink: Sink, strategy: StrategyName, signal: AbortSignal) {
    this.#sink = sink;
    this.#strategy = strategy;
    this.#signal = signal;
  }

  async event(): Promise<void> {}

  async decoded(result: DecodedLine): Promise<void> {
    this.#rows.push(result);
  }

  async failed(line: InputLine, error: ForetokenError): Promise<void> {
    this.#rows.push(errorRow(line, error));
  }

  async end(): Promise<void> {
    if (this.#signal.aborted) return;
    const record = { version: RECORD_VERSION, strategy: this.#strategy, rows: this.#rows };
    await this.#sink.write(`${toJson(record)}\n`);
  }
}

/** Every event of the decoder as it happens, one JSON object a line; then a `line-end` or an `error`. */
export class JsonLinesWriter implements DecodeWriter {
  readonly #sink: Sink;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  async event(line: number, event: DecodeEvent, textOf: TextOf): Promise<void> {
    const text = 'tokenIds' in event ? textOf?.(event.tokenIds) : undefined;
    await this.#write({ line, ...event, text });
  }

  async decoded(result: DecodedLine): Promise<void> {
    await this.#write({ type: 'line-end', ...result });
  }

  async failed(line: InputLine, error: ForetokenError): Promise<void> {
    await this.#write({ type: 'error', ...errorRow(line, error) });
  }

  async end(): Promise<void> {}

  async #write(record: object): Promise<void> {
    await this.#sink.write(`${toJson({ version: RECORD_VERSION, ...record })}\n`);
  }
}
