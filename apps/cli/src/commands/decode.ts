import { ForetokenError } from '@foretoken/core';
import type { ChatMessage, LoadedModel, TextInput } from '@foretoken/models';
import { type CommandContext, type CommandDefinition, OPTIONS } from '../command.js';
import { BATCH_SIZE, decodeAll, MAX_BATCH_SIZE } from '../decode-lines.js';
import { type DecodeWriter, JsonLinesWriter, JsonWriter, PlainWriter } from '../decode-writers.js';
import { usageError } from '../errors.js';
import { openSentences, type Sentences } from '../inputs.js';
import { loadChosenModel } from '../load.js';
import type { Options } from '../options.js';
import { InitialTexts } from '../requests.js';
import { examineOutput, type OutputFile, openOutput, type Sink, standardOutput } from '../sinks.js';
import { readStrategyOptions, STRATEGY_HELP, STRATEGY_OPTIONS } from '../strategies/all-strategies.js';
import { createStrategy } from '../strategies.js';
import { findPart, partOf, STRATEGIES, type StrategyName, VARIANTS } from '../strategy-names.js';
import { examineTrace, TraceWriter } from '../trace-writer.js';

export const decodeCommand: CommandDefinition = {
  name: 'decode',
  positionals: [],
  optionals: ['text...'],
  description: 'Decode lines of text with one strategy, for pipes',
  examples: [
    'foretoken decode "A dog runs across the grass."',
    'cat captions.en | foretoken decode --strategy speculative > captions.de',
    'foretoken decode --file captions.en --out captions.de --resume',
    'foretoken decode --strategy beam --beam-size 8 --hypotheses 3 --json --text "A dog runs across the grass."',
    'foretoken decode --strategy mask-predict --iterations 10 --length-beam 5 --file captions.en --jsonl',
    'foretoken decode --chat --model my-chat-model --max-new-tokens 64 --text "What is the capital of France?"',
    'foretoken decode --model my-nllb --source-language eng_Latn --target-language deu_Latn --text "A dog runs."',
    'foretoken decode --strategy masked-diffusion --length 64 --model my-model --text "To be, or"',
    'foretoken decode --strategy nat --model my-bert --text "The capital of France is [MASK]."',
  ],
  options: [
    { flag: '--strategy <name>', description: 'One of the strategies above (default: greedy)', values: STRATEGIES },
    {
      flag: '--variant <name>',
      description: 'Which model of its kind decodes: exact (default), fast or draft',
      values: VARIANTS,
    },
    OPTIONS.text,
    OPTIONS.file,
    { flag: '--out <path>', description: 'Write the lines to this file, not to standard output' },
    { flag: '--resume', description: 'Go on after the last complete line of --out' },
    { flag: '--replace', description: 'Write --out anew where it exists' },
    {
      flag: '--batch-size <n>',
      description: `Lines decoded together (default: ${BATCH_SIZE} for a file, else 1)`,
    },
    { flag: '--chat', description: 'A line is a message of a user, and its output the answer (models that chat)' },
    { flag: '--system <text>', description: 'With --chat: what the model is told before' },
    {
      flag: '--source-language <code>',
      description: 'Language of the lines, by its code in the model (models of several languages)',
    },
    { flag: '--target-language <code>', description: 'Language to write in, likewise' },
    { flag: '--max-new-tokens <n>', description: 'Maximum of output tokens a line' },
    {
      flag: '--stop-string <string>',
      description: 'End a line with the token that completes this string; may be repeated',
    },
    ...STRATEGY_OPTIONS,
    OPTIONS.model,
    OPTIONS.threads,
    OPTIONS.precision,
    OPTIONS.asExported,
    OPTIONS.json,
    { flag: '--jsonl', description: 'Every event as one JSON object a line, as it happens' },
    { flag: '--trace <path>', description: 'Also write the events of one text to a file that the playground replays' },
  ],
  sections: [{ title: 'Strategies, needs, options', rows: STRATEGY_HELP }],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { options, io } = context;
  const name = options.choice('strategy', STRATEGIES) ?? 'greedy';
  const variant = options.choice('variant', VARIANTS);
  const maxNewTokens = options.integer('max-new-tokens', 1, 1_000_000);
  const stops = options.texts('stop-string');
  const given = readStrategyOptions(options, name);
  const { initialOutputs, ...ofRequests } = given.request;
  const system = options.text('system');
  const chat = options.flag('chat');
  if (system !== undefined && !chat) throw usageError('--system goes with --chat.', { option: 'system' });
  const limits = {
    inputOf: inputsOf(options, chat, system),
    maxNewTokens,
    ...ofRequests,
    initial: initialOutputs === undefined ? undefined : await InitialTexts.read(initialOutputs, io.signal),
    stops,
  };
  const plain = !options.flag('json') && !options.flag('jsonl');
  const output = await outputFor(context, plain);
  const sentences = await openSentences(options, io, context.positionals);
  if (sentences === undefined) {
    throw usageError('There is nothing to decode: give a text or --file, or pipe sentences in, one a line.');
  }
  const trace = options.text('trace');
  if (trace !== undefined && (sentences.kind !== 'texts' || sentences.lines.length !== 1)) {
    throw usageError(
      '--trace is of one decode: give one text, as in foretoken decode --trace run.jsonl "A dog runs."',
      {
        option: 'trace',
      },
    );
  }
  if (trace !== undefined) await examineTrace(trace, output?.path);
  const batchSize = batchSizeFor(context, plain, sentences);
  const model = await loadChosenModel(context);
  let sink: Sink | undefined;
  try {
    if (chat && !model.processor.isInput(conversation('', system))) {
      throw new ForetokenError(
        'UNSUPPORTED_CAPABILITY',
        `--chat needs a model that chats, but this one reads ${model.processor.input}. Leave --chat away, or name such a model with --model.`,
        { option: 'chat', capability: 'a chat template', folder: model.folder },
      );
    }
    const strategy = createStrategy(name, model, { options: given.decoder, variant });
    sink = output === undefined ? standardOutput(io) : await openOutput(output);
    const shown = chooseWriter(context, name, sink);
    const runtime = `${context.services.runtime()}, ${model.threads} thread${model.threads === 1 ? '' : 's'}`;
    const traced = { model, strategy: name, variant, seed: limits.seed, runtime };
    const writer = trace === undefined ? shown : new TraceWriter(shown, trace, traced);
    const looksForForeignText = options.text('model') === undefined && !options.flag('quiet');
    const job = { context, model, strategy, writer, limits, batchSize: batchSize(name, model), looksForForeignText };
    return await decodeAll(job, sentences, output?.done ?? 0);
  } finally {
    await sink?.close();
    await model[Symbol.asyncDispose]();
  }
}

/** What each line is to the model. */
function inputsOf(options: Options, chat: boolean, system: string | undefined): (text: string) => TextInput {
  const [sourceLanguage, targetLanguage] = [options.text('source-language'), options.text('target-language')];
  if (sourceLanguage === undefined && targetLanguage === undefined) {
    return (text) => (chat ? conversation(text, system) : text);
  }
  if (chat) throw usageError('--chat goes without --source-language and --target-language.', { option: 'chat' });
  return (text) => ({ text, sourceLanguage, targetLanguage });
}

function conversation(text: string, system: string | undefined): ChatMessage[] {
  const said: ChatMessage = { role: 'user', content: text };
  return system === undefined ? [said] : [{ role: 'system', content: system }, said];
}

function chooseWriter({ options, io }: CommandContext, strategy: StrategyName, sink: Sink): DecodeWriter {
  if (options.flag('jsonl')) return new JsonLinesWriter(sink);
  return options.flag('json') ? new JsonWriter(sink, strategy, io.signal) : new PlainWriter(sink);
}

/** The file of `--out`, examined; undefined for standard output. */
async function outputFor(
  { options, positionals, io }: CommandContext,
  plain: boolean,
): Promise<OutputFile | undefined> {
  if (options.flag('json') && options.flag('jsonl')) throw usageError('--json and --jsonl exclude each other.');
  const path = options.text('out');
  const file = options.text('file');
  const [resume, replace] = [options.flag('resume'), options.flag('replace')];
  if (resume && replace) throw usageError('--resume and --replace exclude each other.');
  if (path === undefined) {
    if (!resume && !replace) return undefined;
    throw usageError(`--${resume ? 'resume' : 'replace'} needs --out, the file of the outputs.`, { option: 'out' });
  }
  if (resume && !plain) throw usageError('--resume goes with plain output, not with --json or --jsonl.');
  if (resume && options.texts('text').length + positionals.length > 0)
    throw usageError('--resume goes with --file, not with --text.');
  const inputs = { file: file === '-' ? undefined : file, 'initial-outputs': options.text('initial-outputs') };
  return examineOutput(path, { inputs, resume, replace, signal: io.signal });
}

/** Lines decoded together, once the model is known. Throws `INVALID_ARGUMENT`, `UNSUPPORTED_CAPABILITY`. */
function batchSizeFor(
  { options }: CommandContext,
  plain: boolean,
  sentences: Sentences,
): (strategy: StrategyName, model: LoadedModel) => number {
  const wanted = options.integer('batch-size', 1, MAX_BATCH_SIZE);
  if (!plain && wanted !== undefined && wanted > 1) {
    throw usageError(
      '--batch-size goes with plain output: the events and figures of --json and --jsonl are of one line.',
      {
        option: 'batch-size',
        received: wanted,
      },
    );
  }
  const usual = plain && sentences.kind === 'lines' && sentences.from === 'file' ? BATCH_SIZE : 1;
  return (strategy, model) => {
    const held = partOf(strategy) === 'autoregressive' ? findPart(model, 'autoregressive')?.supports.rows : undefined;
    const max = held ?? Number.POSITIVE_INFINITY;
    if (wanted !== undefined && wanted > max) {
      throw new ForetokenError(
        'UNSUPPORTED_CAPABILITY',
        `This model decodes ${max} ${max === 1 ? 'line' : 'lines'} at once at most; --batch-size was ${wanted}.`,
        { option: 'batch-size', received: wanted, max },
      );
    }
    return Math.min(wanted ?? usual, max);
  };
}
