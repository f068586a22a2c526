import {
  collect,
  type DecodeEvent,
  type DecodeRequest,
  ForetokenError,
  type RowResult,
  type TokenSource,
} from '@foretoken/core';
import type { LoadedModel, TextInput } from '@foretoken/models';
import type { CommandContext } from './command.js';
import type { DecodedLine, DecodeWriter } from './decode-writers.js';
import { EXIT, isRowError, onLine, usageError } from './errors.js';
import { Stranger } from './foreign-text.js';
import type { Sentences } from './inputs.js';
import { OUTPUT_LOST, write } from './io.js';
import type { InputLine } from './lines.js';
import { type InitialTexts, requestFor } from './requests.js';
import { countLines } from './sinks.js';
import type { Strategy } from './strategies.js';
import { Progress } from './terminal/progress.js';
import { problemLine } from './terminal/style.js';

/** Lines of a file that are decoded together, unless told otherwise. */
export const BATCH_SIZE = 64;
export const MAX_BATCH_SIZE = 4096;

/** What of a request comes from the command line. */
export interface Limits {
  readonly maxNewTokens?: number | undefined;
  readonly minNewTokens?: number | undefined;
  readonly seed?: number | undefined;
  readonly initial?: InitialTexts | undefined;
  /** What a line is to the model. */
  readonly inputOf: (text: string) => TextInput;
  readonly stops: readonly string[];
}

/** Everything that decodes a line and prints what comes of it. */
export interface DecodeJob {
  readonly context: CommandContext;
  readonly model: LoadedModel;
  readonly strategy: Strategy;
  readonly writer: DecodeWriter;
  readonly limits: Limits;
  readonly batchSize: number;
  /** Say so where the text is not what the model was made for; its figures are known of the default model only. */
  readonly looksForForeignText: boolean;
}

/** A line as the model reads it. */
interface ReadLine {
  readonly line: InputLine;
  readonly source: TokenSource;
  readonly outputPrefix?: Int32Array | undefined;
  readonly initial?: Int32Array | undefined;
  readonly unknownTokens: number;
}

/** What came of a line. */
type Outcome = { readonly line: InputLine } & ({ readonly result: DecodedLine } | { readonly error: ForetokenError });

/**
 * Decodes all lines after the first `done`, batch by batch, and prints each in the order of the input. No more than one batch
 * is held. Gives the exit code.
 */
export async function decodeAll(job: DecodeJob, sentences: Sentences, done: number): Promise<number> {
  const { context, model, writer } = job;
  const { io } = context;
  // Sentences from the command line are all looked at before the first is decoded.
  if (sentences.kind === 'texts') for (const { text } of sentences.lines) model.tokenizer.encode(text);
  const progress = await progressFor(context, sentences);
  const stranger = new Stranger(model, job.looksForForeignText, io.signal, context.note);
  let failures = 0;
  let written = done;
  try {
    for await (const batch of batchesOf(sentences.lines, job.batchSize, done)) {
      progress.show(written, done);
      for await (const outcome of decodeBatch(job, batch, sentences.kind === 'texts')) {
        progress.hide();
        if ('error' in outcome) failures++;
        await report(job, outcome);
        written = outcome.line.number;
        if ('result' in outcome) await stranger.meet(outcome.result);
      }
      progress.show(written, done);
    }
    progress.hide();
    await stranger.judge();
  } catch (error) {
    progress.close();
    if (sentences.kind === 'lines' && io.signal.aborted && io.signal.reason !== OUTPUT_LOST) {
      await sayWhereStopped(context, written);
    }
    throw error;
  } finally {
    progress.close();
    await writer.end();
  }
  return failures === 0 ? EXIT.ok : EXIT.failure;
}

async function sayWhereStopped({ io, options, note }: CommandContext, line: number): Promise<void> {
  const where = line === 0 ? 'before the first line was done' : `after line ${line}`;
  const more = options.text('out') === undefined || options.text('file') === undefined ? '' : ' Go on with --resume.';
  // The terminal has echoed ^C; the line break that ends it there is written by whoever ends the command.
  await note(`${io.stderr.isTTY === true ? '\n' : ''}Stopped ${where}.${more}`);
}

/** Progress is for a person who looks at a terminal on which nothing else moves. */
async function progressFor({ options, io, style, services }: CommandContext, sentences: Sentences): Promise<Progress> {
  const seen = style.stderr.escapes && !options.flag('quiet') && sentences.kind === 'lines';
  const moves = io.stdout.isTTY === true && options.text('out') === undefined;
  if (!seen || moves) return new Progress(undefined, services.now, undefined);
  const file = options.text('file');
  const total = sentences.from === 'file' && file !== undefined ? await linesOf(file, io.signal) : undefined;
  return new Progress(io.stderr, services.now, total);
}

/** Undefined where a file can be read only once, as a pipe. */
async function linesOf(file: string, signal: AbortSignal): Promise<number | undefined> {
  const counted = await countLines('file', file, signal);
  return counted && (counted.bytes < counted.size ? counted.lines + 1 : counted.lines);
}

/** Lines in batches, the first `done` left out. Throws `INVALID_ARGUMENT` where there are fewer than these. */
async function* batchesOf(
  lines: AsyncIterable<InputLine> | Iterable<InputLine>,
  size: number,
  done: number,
): AsyncGenerator<readonly InputLine[], void, undefined> {
  let batch: InputLine[] = [];
  let read = 0;
  for await (const line of lines) {
    if (++read <= done) continue;
    batch.push(line);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (read < done) {
    throw usageError(`--out has ${done} lines, but the input has ${read}: it is no output of this input.`, {
      option: 'resume',
      received: done,
      max: read,
    });
  }
  if (batch.length > 0) yield batch;
}

/** What comes of each line of a batch, in order. An error that is not about a line is thrown; with `strict`, any. */
async function* decodeBatch(
  job: DecodeJob,
  batch: readonly InputLine[],
  strict: boolean,
): AsyncGenerator<Outcome, void, undefined> {
  const { signal } = job.context.io;
  signal.throwIfAborted();
  const outcome = async (line: InputLine, decode: () => Promise<DecodedLine>): Promise<Outcome> => {
    try {
      if (line.error !== undefined) throw line.error;
      return { line, result: await decode() };
    } catch (error) {
      if (!isRowError(error) || strict) throw error;
      return { line, error: onLine(error, line.number) };
    }
  };
  const alone = (line: InputLine) => outcome(line, async () => decodeAlone(job, await readLine(job, line)));
  if (batch.length === 1) {
    yield await alone(batch[0]);
    return;
  }
  const together = await decodeTogether(job, batch);
  for (const [index, line] of batch.entries()) {
    const decoded = together?.[index];
    if (decoded === undefined) {
      yield await alone(line);
      continue;
    }
    await noteUnknown(job, line, decoded.unknownTokens);
    yield { line, result: decoded };
  }
}

/** The lines that decode; undefined in the place of the others, and for all of a batch that a line of it stopped. */
async function decodeTogether(
  job: DecodeJob,
  batch: readonly InputLine[],
): Promise<readonly (DecodedLine | undefined)[] | undefined> {
  const read: (ReadLine | undefined)[] = [];
  for (const line of batch) read.push(await readOrLeave(job, line));
  const good = read.filter((line) => line !== undefined);
  if (good.length === 0) return undefined;
  try {
    const { results } = await collect(job.strategy.decode(requestOf(job, good)));
    let row = 0;
    return read.map((line) => line && decodedLine(job, line, results[row++]));
  } catch (error) {
    if (isRowError(error)) return undefined;
    throw error;
  }
}

async function readOrLeave(job: DecodeJob, line: InputLine): Promise<ReadLine | undefined> {
  if (line.error !== undefined) return undefined;
  try {
    return await readLine(job, line);
  } catch (error) {
    if (isRowError(error)) return undefined;
    throw error;
  }
}

async function readLine({ model, limits }: DecodeJob, line: InputLine): Promise<ReadLine> {
  const { request, unknownTokens } = await requestFor(model, limits.inputOf(line.text));
  return {
    line,
    source: request.sources[0],
    outputPrefix: request.outputPrefixes?.[0],
    initial: limits.initial?.tokensFor(line.number, model.tokenizer),
    unknownTokens,
  };
}

function requestOf({ context, model, limits }: DecodeJob, lines: readonly ReadLine[]): DecodeRequest<TokenSource> {
  const { stops, initial, inputOf: _inputOf, ...numbers } = limits;
  const given = lines.some(({ outputPrefix }) => outputPrefix !== undefined);
  return {
    sources: lines.map(({ source }) => source),
    outputPrefixes: given ? lines.map(({ outputPrefix = new Int32Array() }) => outputPrefix) : undefined,
    initialOutputs: initial && lines.map((line) => line.initial ?? new Int32Array()),
    stopSequences: model.processor.stopTokenIds?.map((tokenId) => Int32Array.of(tokenId)),
    signal: context.io.signal,
    ...numbers,
    stopStrings: stops.length === 0 ? undefined : { strings: stops, textOf: textOf(model) },
  };
}

async function decodeAlone(job: DecodeJob, line: ReadLine): Promise<DecodedLine> {
  await noteUnknown(job, line.line, line.unknownTokens);
  const { results, statistics } = await collect(written(job, line));
  return { ...decodedLine(job, line, results[0]), statistics };
}

/** The events of a line, each written as it comes. */
async function* written(job: DecodeJob, line: ReadLine): AsyncGenerator<DecodeEvent> {
  for await (const event of job.strategy.decode(requestOf(job, [line]))) {
    await job.writer.event(line.line.number, event, job.model.processor.textOf);
    yield event;
  }
}

function decodedLine(
  { model }: DecodeJob,
  { line, source: read, unknownTokens }: ReadLine,
  { best, hypotheses }: RowResult,
): DecodedLine {
  const { tokenIds, finishReason } = best;
  const all = hypotheses.map((hypothesis) => ({ ...model.processor.write(hypothesis, read), ...hypothesis }));
  const { number, text: source } = line;
  return { line: number, source, text: all[0].text, tokenIds, finishReason, unknownTokens, hypotheses: all };
}

/** Throws `UNSUPPORTED_CAPABILITY` where outputs do not grow as texts. */
function textOf({ processor, folder }: LoadedModel): (tokenIds: Int32Array) => string {
  if (processor.textOf !== undefined) return processor.textOf;
  throw new ForetokenError(
    'UNSUPPORTED_CAPABILITY',
    `--stop-string needs outputs that are texts, but this model reads ${processor.input} and decides what stands there. Leave --stop-string away.`,
    { option: 'stop-string', capability: 'outputs that are texts', folder },
  );
}

async function noteUnknown({ context }: DecodeJob, line: InputLine, count: number): Promise<void> {
  if (count > 0) await context.note(unknownWarning(line.number, count));
}

async function report({ context, writer }: DecodeJob, outcome: Outcome): Promise<void> {
  const { io, style } = context;
  if ('result' in outcome) {
    await writer.decoded(outcome.result);
    return;
  }
  await writer.failed(outcome.line, outcome.error);
  await write(io.stderr, problemLine(style.stderr, outcome.error.code, outcome.error.message));
}

/** What to tell about text that the tokenizer cannot express. */
export function unknownWarning(line: number, count: number): string {
  const tokens = count === 1 ? '1 token stands' : `${count} tokens stand`;
  return `warning: line ${line}: ${tokens} for characters the model does not know; the output may lack them.`;
}
