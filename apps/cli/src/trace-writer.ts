import { resolve } from 'node:path';
import type { DecodeEvent, ForetokenError } from '@foretoken/core';
import { shownPath } from '@foretoken/core/node';
import type { LoadedModel } from '@foretoken/models';
import { traceTokens, writeTrace } from '@foretoken/streams';
import type { DecodedLine, DecodeWriter, TextOf } from './decode-writers.js';
import { usageError } from './errors.js';
import type { InputLine } from './lines.js';
import { examineTarget, notWritable, openTarget } from './output-file.js';
import { findPart, partOf, type StrategyName, type VariantName } from './strategy-names.js';

/** What a trace says of how it was made. */
export interface TraceContext {
  readonly model: LoadedModel;
  readonly strategy: StrategyName;
  readonly variant: VariantName | undefined;
  readonly seed: number | undefined;
  readonly runtime: string;
}

/**
 * Looks at the file of `--trace` before anything is decoded. Throws `INVALID_ARGUMENT` for a file that is not empty, for what is no
 * file and cannot be one, and for the file that `--out` writes.
 */
export async function examineTrace(path: string, out: string | undefined): Promise<void> {
  const { bytes } = await examineTarget('trace', path);
  if (bytes > 0) throw taken(path, bytes);
  if (out === undefined || resolve(out) !== resolve(path)) return;
  throw usageError(`--trace ${shownPath(path)} is the file that --out writes. Name another one.`, { option: 'trace' });
}

function taken(path: string, bytes: number): ForetokenError {
  return usageError(`--trace ${shownPath(path)} exists already and is not empty. Remove it, or name another file.`, {
    option: 'trace',
    bytes,
  });
}

/** Writes what another writer writes, and the events of the one line into a file that the playground replays. */
export class TraceWriter implements DecodeWriter {
  readonly #inner: DecodeWriter;
  readonly #path: string;
  readonly #context: TraceContext;
  readonly #events: DecodeEvent[] = [];

  /** Nothing is written before the decode has ended. The path was examined. */
  constructor(inner: DecodeWriter, path: string, context: TraceContext) {
    this.#inner = inner;
    this.#path = path;
    this.#context = context;
  }

  async event(line: number, event: DecodeEvent, textOf: TextOf): Promise<void> {
    this.#events.push(event);
    await this.#inner.event(line, event, textOf);
  }

  async decoded(result: DecodedLine): Promise<void> {
    await this.#inner.decoded(result);
    await this.#save(this.#trace(result));
  }

  async failed(line: InputLine, error: ForetokenError): Promise<void> {
    await this.#inner.failed(line, error);
  }

  async end(): Promise<void> {
    await this.#inner.end();
  }

  async #save(text: string): Promise<void> {
    const path = this.#path;
    const file = await openTarget('trace', path);
    try {
      const { size } = await file.stat();
      // Someone else wrote it since it was examined.
      if (size > 0) throw taken(path, size);
      await file.writeFile(text).catch(async (error: unknown) => {
        // Half a trace would be in the way of the next run.
        await file.truncate(0).catch(() => {});
        throw notWritable('trace', path, error);
      });
    } finally {
      await file.close();
    }
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
