import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { DecodeEvent, ForetokenError } from '@foretoken/core';
import type { LoadedModel } from '@foretoken/models';
import { traceTokens, writeTrace } from '@foretoken/streams';
import type { DecodedLine, DecodeWriter } from './decode-writers.js';
import { usageError } from './errors.js';
import type { InputLine } from './lines.js';
import { findPart, partOf, type StrategyName, type VariantName } from './strategy-names.js';

/** What a trace says of how it was made. */
export interface TraceContext {
  readonly model: LoadedModel;
  readonly strategy: StrategyName;
  readonly variant: VariantName | undefined;
  readonly seed: number | undefined;
  readonly runtime: string;
}

/** Writes what another writer writes, and the events of the one line into a file that the playground replays. */
export class TraceWriter implements DecodeWriter {
  readonly #inner: DecodeWriter;
  readonly #path: string;
  readonly #context: TraceContext;
  readonly #events: DecodeEvent[] = [];

  /** Nothing is written before the decode has ended. Throws `INVALID_ARGUMENT` where there is such a file already. */
  constructor(inner: DecodeWriter, path: string, context: TraceContext) {
    if (existsSync(path)) throw wrongFile(path, 'exists already. Remove it, or name another file');
    this.#inner = inner;
    this.#path = path;
    this.#context = context;
  }

  async event(line: number, event: DecodeEvent, textOf: (tokenIds: Int32Array) => string): Promise<void> {
    this.#events.push(event);
    await this.#inner.event(line, event, textOf);
  }

  async decoded(result: DecodedLine): Promise<void> {
    await this.#inner.decoded(result);
    try {
      await writeFile(this.#path, this.#trace(result), { flag: 'wx' });
    } catch (error) {
      throw wrongFile(this.#path, `cannot be written: ${(error as Error).message}`);
    }
  }

  async failed(line: InputLine, error: ForetokenError): Promise<void> {
    await this.#inner.failed(line, error);
  }

  async end(): Promise<void> {
    await this.#inner.end();
  }

  #trace({ source, text, statistics }: DecodedLine): string {
    const { model, strategy, variant, seed = 0, runtime } = this.#context;
    const kind = partOf(strategy);
    const mask = kind === 'canvas' ? findPart(model, 'canvas', variant)?.maskTokenId : undefined;
    const gap = kind === 'edit' ? findPart(model, 'edit', variant)?.placeholderTokenId : undefined;
    return writeTrace({
      header: {
        type: 'trace',
        version: 1,
        strategy,
        task: 'decode',
        input: source,
        seed,
        options: {},
        text,
        undecided: mask ?? gap,
        runtime,
        chosen: 'middle',
        repeats: statistics === undefined ? [] : [Math.round(statistics.totalMs * 1000) / 1000],
        tokens: traceTokens(this.#events, model.tokenizer),
      },
      events: this.#events,
    });
  }
}

function wrongFile(path: string, why: string): ForetokenError {
  return usageError(`--trace ${JSON.stringify(path)} ${why}.`, { option: 'trace' });
}
