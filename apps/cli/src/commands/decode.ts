import type { DecodeEndEvent } from '@foretoken/core';
import type { LoadedModel } from '@foretoken/models';
import { type CommandContext, type CommandDefinition, OPTIONS } from '../command.js';
import { type DecodeWriter, JsonLinesWriter, JsonWriter, PlainWriter } from '../decode-writers.js';
import { EXIT, isRowError, onLine, usageError } from '../errors.js';
import { openSentences, type Sentences } from '../inputs.js';
import { write } from '../io.js';
import type { InputLine } from '../lines.js';
import { loadChosenModel } from '../load.js';
import { InitialTexts, requestFor } from '../requests.js';
import { createStrategy, type Strategy } from '../strategies.js';
import { DRAFTERS, STRATEGIES, type StrategyName, VARIANTS } from '../strategy-names.js';
import { readStrategyOptions, STRATEGY_HELP, STRATEGY_OPTIONS } from '../strategy-options.js';
import { problemLine } from '../terminal/style.js';

export const decodeCommand: CommandDefinition = {
  name: 'decode',
  positionals: [],
  description: 'Decode lines of text with one strategy, for pipes',
  examples: [
    'foretoken decode --text "A dog runs across the grass."',
    'cat captions.en | foretoken decode --strategy speculative > captions.de',
    'foretoken decode --strategy beam --beam-size 8 --hypotheses 3 --json --text "A dog runs across the grass."',
    'foretoken decode --strategy mask-predict --iterations 10 --length-beam 5 --file captions.en --jsonl',
    'foretoken decode --strategy masked-diffusion --length 64 --model my-masked-lm --text "To be, or"',
  ],
  options: [
    { flag: '--strategy <name>', description: 'One of the strategies above (default: greedy)' },
    OPTIONS.drafter,
    { flag: '--variant <name>', description: 'Which model of its kind decodes: exact (default), fast or draft' },
    OPTIONS.text,
    OPTIONS.file,
    { flag: '--max-new-tokens <n>', description: 'Most output tokens a line' },
    { flag: '--stop <string>', description: 'End a line with the token that completes this string; may be repeated' },
    ...STRATEGY_OPTIONS,
    OPTIONS.model,
    OPTIONS.threads,
    OPTIONS.precision,
    OPTIONS.json,
    { flag: '--jsonl', description: 'Every event as one JSON object a line, as it happens' },
  ],
  sections: [{ title: 'Strategies: what each needs, and its options', rows: STRATEGY_HELP }],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { options, io } = context;
  const name = options.choice('strategy', STRATEGIES) ?? 'greedy';
  const drafter = options.choice('drafter', DRAFTERS);
  if (drafter !== undefined && name !== 'speculative') {
    throw usageError(`--drafter goes with --strategy speculative, not with ${name}.`, { option: 'drafter' });
  }
  const variant = options.choice('variant', VARIANTS);
  const maxNewTokens = options.integer('max-new-tokens', 1, 1_000_000);
  const stops = options.texts('stop');
  const strategyOptions = readStrategyOptions(options, name);
  const { seed, initial } = strategyOptions;
  const limits = {
    maxNewTokens,
    seed,
    initial: initial === undefined ? undefined : await InitialTexts.read(initial, io.signal),
    stops,
  };
  const writer = chooseWriter(context, name);
  const sentences = await openSentences(options, io);
  if (sentences === undefined) {
    throw usageError('There is nothing to decode: give --text or --file, or pipe sentences in, one a line.');
  }
  const model = await loadChosenModel(context);
  try {
    const strategy = createStrategy(name, model, drafter ?? 'lattice', { ...strategyOptions, variant });
    return await decodeAll(context, model, strategy, sentences, writer, limits);
  } finally {
    await model[Symbol.asyncDispose]();
  }
}

/** What of a request comes from the command line. */
interface Limits {
  readonly maxNewTokens?: number | undefined;
  readonly seed?: number | undefined;
  readonly initial?: InitialTexts | undefined;
  readonly stops: readonly string[];
}

function chooseWriter({ options, io }: CommandContext, strategy: StrategyName): DecodeWriter {
  if (options.flag('json') && options.flag('jsonl')) throw usageError('--json and --jsonl exclude each other.');
  if (options.flag('jsonl')) return new JsonLinesWriter(io);
  return options.flag('json') ? new JsonWriter(io, strategy) : new PlainWriter(io);
}

async function decodeAll(
  context: CommandContext,
  model: LoadedModel,
  strategy: Strategy,
  sentences: Sentences,
  writer: DecodeWriter,
  limits: Limits,
): Promise<number> {
  const { io, style } = context;
  // Sentences from the command line are all looked at before the first is decoded.
  if (sentences.kind === 'texts') for (const { text } of sentences.lines) model.tokenizer.encode(text);
  let failures = 0;
  try {
    for await (const line of sentences.lines) {
      io.signal.throwIfAborted();
      try {
        if (line.error !== undefined) throw line.error;
        await decodeLine(context, model, strategy, line, writer, limits);
      } catch (error) {
        if (!isRowError(error)) throw error;
        if (sentences.kind === 'texts') throw error;
        failures++;
        const named = onLine(error, line.number);
        await writer.failed(line, named);
        await write(io.stderr, problemLine(style.stderr, named.code, named.message));
      }
    }
  } finally {
    await writer.end();
  }
  return failures === 0 ? EXIT.ok : EXIT.failure;
}

async function decodeLine(
  { io, note }: CommandContext,
  model: LoadedModel,
  strategy: Strategy,
  { number, text: source }: InputLine,
  writer: DecodeWriter,
  limits: Limits,
): Promise<void> {
  const { tokenizer } = model;
  const { request: read, unknownTokens } = await requestFor(model, source);
  if (unknownTokens > 0) await note(unknownWarning(number, unknownTokens));
  const textOf = (tokenIds: Int32Array): string => tokenizer.decode(tokenIds);
  const { stops, initial, ...numbers } = limits;
  const request = {
    ...read,
    initialOutputs: initial && [initial.tokensFor(number, tokenizer)],
    signal: io.signal,
    ...numbers,
    stopStrings: stops.length === 0 ? undefined : { strings: stops, textOf },
  };
  let end: DecodeEndEvent | undefined;
  for await (const event of strategy.decode(request)) {
    if (event.type === 'decode-end') end = event;
    await writer.event(number, event, textOf);
  }
  const all = end!.results[0].hypotheses;
  const { tokenIds, finishReason } = all[0];
  const text = textOf(tokenIds);
  const hypotheses = all.map((hypothesis) => ({ text: textOf(hypothesis.tokenIds), ...hypothesis }));
  const { statistics } = end!;
  await writer.decoded({ line: number, source, text, tokenIds, finishReason, unknownTokens, statistics, hypotheses });
}

/** What to tell about text that the tokenizer cannot express. */
export function unknownWarning(line: number, count: number): string {
  const tokens = count === 1 ? '1 token stands' : `${count} tokens stand`;
  return `warning: line ${line}: ${tokens} for characters the model does not know; the output may lack them.`;
}
