import { type DecodeEndEvent, type DecodeEvent, type DecodeRequest, ForetokenError } from '@foretoken/core';
import { thrownWords } from '@foretoken/core/kit';
import { type Attributes, type Context, context, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import type { DecodeMetrics } from './decode-metrics.js';
import { GEN_AI, OURS } from './names.js';
import { inputTokens, prefixTokens } from './request-attributes.js';

/** A decode that is going on: what is seen of it goes into its span and into the metrics. */
export class DecodeSpan {
  readonly #span: Span;
  readonly #inside: Context;
  readonly #metrics: DecodeMetrics;
  readonly #common: Attributes;
  readonly #request: DecodeRequest<unknown>;
  readonly #startMs: number = performance.now();
  #firstSeconds: number | undefined;
  #seen = false;
  #committed = 0;
  #rounds = 0;
  #end: DecodeEndEvent | undefined;
  #error: string | undefined;

  constructor(
    span: Span,
    parent: Context,
    metrics: DecodeMetrics,
    common: Attributes,
    request: DecodeRequest<unknown>,
  ) {
    this.#span = span;
    this.#inside = trace.setSpan(parent, span);
    this.#metrics = metrics;
    this.#common = common;
    this.#request = request;
  }

  /** Runs a part of the decode, so that spans made in it are children of this one. */
  within<Result>(run: () => Result): Result {
    return context.with(this.#inside, run);
  }

  see(event: DecodeEvent): void {
    this.#seen = true;
    if (event.type === 'token-commit') {
      this.#committed += event.tokenIds.length;
      if (this.#firstSeconds === undefined && event.tokenIds.length > 0) {
        this.#firstSeconds = this.#seconds();
        this.#span.addEvent(OURS.firstTokenEvent);
      }
    } else if (event.type === 'draft-end') {
      if (event.evaluated > 0) this.#rounds++;
    } else if (event.type === 'decode-end') this.#end = event;
  }

  fail(error: unknown): void {
    this.#error = errorType(error);
    const message = thrownWords(error);
    try {
      this.#span.recordException(error instanceof Error ? error : message);
    } catch {
      // What cannot be read; whoever reads the decode gets the very value all the same.
      this.#span.recordException(message);
    }
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message });
    this.#span.setAttribute(GEN_AI.error, this.#error);
  }

  end(): void {
    // Before its first event nothing was read, and the request may be none.
    const read = this.#seen ? inputTokens(this.#request) : undefined;
    const outputTokens = this.#outputTokens();
    this.#span.setAttributes({
      [GEN_AI.outputTokens]: outputTokens,
      [GEN_AI.inputTokens]: read,
      [GEN_AI.firstChunk]: this.#firstSeconds,
      [OURS.stoppedEarly]: this.#end === undefined && this.#error === undefined ? true : undefined,
      ...this.#results(),
    });
    const seconds = this.#seconds();
    this.#metrics.record(
      { seconds, firstSeconds: this.#firstSeconds, inputTokens: read, outputTokens, error: this.#error },
      this.#common,
    );
    this.#span.end();
  }

  #seconds(): number {
    return (performance.now() - this.#startMs) / 1000;
  }

  /** What an output begins with was given, so it is no output. Of a decode that was cut, what was final. */
  #outputTokens(): number {
    if (this.#end === undefined) return this.#committed;
    const written = this.#end.results.reduce((sum, { best }) => sum + best.tokenIds.length, 0);
    return written - prefixTokens(this.#request);
  }

  #results(): Attributes {
    if (this.#end === undefined) return {};
    const { results, statistics } = this.#end;
    const { forwards, otherForwards, speculation } = statistics;
    return {
      [GEN_AI.finishReasons]: results.map(({ best }) => (best.finishReason === 'length' ? 'length' : 'stop')),
      [OURS.forwards]: forwards,
      [OURS.otherForwards]: otherForwards,
      [OURS.draftRounds]: speculation && this.#rounds,
      [OURS.draftForwards]: speculation?.draftForwards,
      [OURS.proposed]: speculation?.proposed,
      [OURS.evaluated]: speculation?.evaluated,
      [OURS.accepted]: speculation?.accepted,
    };
  }
}

/** OpenTelemetry's word for an error without a name. */
const OTHER = '_OTHER';

/** A word to count errors by: our code, or the name of any other error. */
function errorType(error: unknown): string {
  try {
    if (ForetokenError.isInstance(error)) return error.code;
    return error instanceof Error ? String(error.name) : OTHER;
  } catch {
    return OTHER;
  }
}
