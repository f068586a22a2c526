import { ForetokenError } from '@foretoken/core';
import { append, firstTwice } from '@foretoken/core/kit';
import { correctionDrafter } from '@foretoken/correction';
import type { LoadedModel } from '@foretoken/models';
import { type CommandContext, type CommandDefinition, OPTIONS } from '../command.js';
import { unknownWarning } from '../decode-lines.js';
import { EXIT, isRowError, onLine, usageError } from '../errors.js';
import { EXAMPLE_SENTENCES, MISTAKEN_SENTENCES } from '../example-sentences.js';
import { openSentences } from '../inputs.js';
import { toJson, write } from '../io.js';
import type { InputLine } from '../lines.js';
import { loadChosenModel } from '../load.js';
import { oneOf } from '../options.js';
import { firstLine } from '../race/first-line.js';
import { laneOf } from '../race/lanes.js';
import { measure } from '../race/measure.js';
import { type RaceConditions, raceRecord, raceTable } from '../race/report.js';
import { openScreen } from '../race/screen.js';
import { type RaceRow, summarise, unrestOf } from '../race/summary.js';
import { createStrategy, racedVariant, type Strategy, servableStrategies } from '../strategies.js';
import {
  DRAFTERS,
  type DrafterName,
  partsIn,
  RACE_STRATEGIES,
  STRATEGIES,
  type StrategyName,
  VARIANTS,
  type VariantName,
} from '../strategy-names.js';

const TASKS = ['correct', 'translate'] as const;
type Task = (typeof TASKS)[number];

export const raceCommand: CommandDefinition = {
  name: 'race',
  positionals: [],
  description: 'Decode sentences with several strategies side by side and compare them',
  examples: [
    'foretoken race',
    'foretoken race --text "i dont know were teh keys are"',
    'foretoken race --task translate --text "Two children play in the snow."',
    'foretoken race --task translate --file captions.en --limit 50 --json > race.json',
  ],
  options: [
    {
      flag: '--task <name>',
      description: `${TASKS.join(' or ')} (default: correct for a text that you give, else both in turn; with --model: what the model does)`,
      values: TASKS,
    },
    OPTIONS.text,
    OPTIONS.file,
    { flag: '--limit <n>', description: 'Take only the first n sentences' },
    {
      flag: '--strategies <names>',
      description: `Any of these, with commas between them: ${STRATEGIES.join(', ')} (default: ${RACE_STRATEGIES.join(',')}, as the model can serve)`,
    },
    OPTIONS.drafter,
    {
      flag: '--variant <name>',
      description:
        'Which models of their kinds decode: exact (default), fast or draft; greedy stays exact for comparison',
      values: VARIANTS,
    },
    { ...OPTIONS.model, description: 'Model folder (default: that of the task, for correction or translation)' },
    OPTIONS.threads,
    OPTIONS.precision,
    OPTIONS.asExported,
    OPTIONS.json,
  ],
  run,
};

interface Sentence {
  readonly line: number;
  readonly source: string;
  readonly reference?: string | undefined;
}

/** Sentences decoded before the clock starts, so that no strategy pays for compiling. */
const WARM_UP = 3;
/** Every sentence is decoded this often, unless all of it would take longer than `PATIENCE_MS`. */
const REPEATS = 3;
const PATIENCE_MS = 5000;
/** How long a pipe that nobody writes to is given before the built-in sentences are taken. */
const PIPE_PATIENCE_MS = 2000;

async function run(context: CommandContext): Promise<number> {
  const { options, io } = context;
  const names = strategyNames(options.text('strategies'));
  options.choice('variant', VARIANTS);
  const given = await collectSentences(context);
  const records: object[] = [];
  const tasks = await tasksFor(context, given !== undefined);
  for (const task of tasks) {
    if (tasks.length > 1) await context.note(`${HEADINGS[task]}\n`);
    const record = await runTask(context, task, names, given);
    if (record === undefined) await write(io.stdout, task === tasks.at(-1) ? '' : '\n');
    else records.push(record);
  }
  // One object, however many races there were.
  const record = records.length > 1 ? { version: 1, races: records } : records[0];
  if (record !== undefined) await write(io.stdout, `${toJson(record)}\n`);
  return EXIT.ok;
}

const HEADINGS: Readonly<Record<Task, string>> = {
  correct: 'Correcting what was typed:',
  translate: 'Translating captions:',
};

/** What to race: what is asked for; else correction of the user's text, or the examples of both. */
async function tasksFor({ options, services, note }: CommandContext, ownText: boolean): Promise<readonly Task[]> {
  const task = options.choice('task', TASKS);
  if (task !== undefined) return [task];
  if (options.text('model') !== undefined) return ['translate'];
  if (services.canCorrect()) return ownText ? ['correct'] : TASKS;
  if (ownText) {
    await note(
      'The model that corrects text is not installed: translating. npm i @foretoken/model-english-correction adds it.\n',
    );
  }
  return ['translate'];
}

/** Races one task; prints its table, or gives its record for `--json`. */
async function runTask(
  context: CommandContext,
  task: Task,
  names: readonly StrategyName[] | undefined,
  given: readonly Sentence[] | undefined,
): Promise<object | undefined> {
  const { options, services, io } = context;
  const drafter = options.choice('drafter', DRAFTERS) ?? (task === 'correct' ? 'copy' : 'lattice');
  const sentences = given ?? examplesFor(context, task);
  const folder = task === 'correct' ? services.correctionModelFolder : services.defaultModelFolder;
  const model = await loadChosenModel(context, folder);
  try {
    // What a corrector copies from is the text with a capital at its beginning and a full stop at its end.
    const copies = task === 'correct' && drafter === 'copy' && model.find('autoregressive') !== undefined;
    const drafts = copies ? correctionDrafter(model) : drafter;
    const variant = options.choice('variant', VARIANTS);
    const strategies = (names ?? (await servable(context, model, drafter, variant))).map((name) =>
      createStrategy(name, model, { drafter: drafts, variant: racedVariant(name, variant) }),
    );
    const sources = sentences.map(({ source, line }) => encode(model, source, line));
    const repeats = await warmUp(strategies, sources, io.signal, services.now);
    const rows = await race(context, model, strategies, sentences, sources, repeats);
    const summaries = summarise(rows);
    const conditions: RaceConditions = {
      runtime: services.runtime(),
      threads: model.threads,
      precision: 'fp32',
      variant: variant ?? 'exact',
      repeats,
      unrest: unrestOf(rows),
    };
    if (options.flag('json')) return raceRecord(task, model, conditions, rows, summaries);
    await write(io.stdout, `${raceTable(summaries, conditions, context.columns).join('\n')}\n`);
    return undefined;
  } finally {
    await model[Symbol.asyncDispose]();
  }
}

function examplesFor({ options }: CommandContext, task: Task): Sentence[] {
  const limit = options.integer('limit', 1, 1_000_000) ?? Number.POSITIVE_INFINITY;
  const examples = task === 'correct' ? MISTAKEN_SENTENCES : EXAMPLE_SENTENCES;
  return examples.slice(0, limit).map((example, index) => ({ line: index + 1, ...example }));
}

function strategyNames(text: string | undefined): StrategyName[] | undefined {
  const names = text?.split(',').map((name) => oneOf('strategies', name.trim(), STRATEGIES));
  const twice = names && firstTwice(names);
  if (twice !== undefined) throw usageError(`--strategies names ${twice} twice.`, { option: 'strategies' });
  return names;
}

/** The strategies to race when none are named; says which are left out. */
async function servable(
  { note }: CommandContext,
  model: LoadedModel,
  drafter: DrafterName,
  variant: VariantName | undefined,
): Promise<StrategyName[]> {
  const names = servableStrategies(model, drafter, variant);
  if (names.length === 0) {
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      `This model can serve none of ${RACE_STRATEGIES.join(', ')}. Name what to race with --strategies.`,
      { capability: 'an autoregressive model', folder: model.folder, has: partsIn(model) },
    );
  }
  const others = RACE_STRATEGIES.filter((name) => !names.includes(name));
  if (others.length > 0) await note(`Left out, since this model cannot serve them: ${others.join(', ')}.\n`);
  return names;
}

/** The user's sentences; undefined where there are none, and examples are taken. */
async function collectSentences(context: CommandContext): Promise<Sentence[] | undefined> {
  const { options, io, note } = context;
  const limit = options.integer('limit', 1, 1_000_000) ?? Number.POSITIVE_INFINITY;
  const opened = await openSentences(options, io);
  if (opened === undefined) return undefined;
  const lines: InputLine[] = [];
  if (opened.kind === 'texts') append(lines, opened.lines.slice(0, limit));
  else {
    const patience = opened.from === 'stdin' && options.text('file') === undefined ? PIPE_PATIENCE_MS : undefined;
    const first = await firstLine(opened.lines, patience, context);
    if (first === 'nothing yet') {
      await note('Nothing arrives on standard input: taking the built-in sentences. (--file - waits for it.)\n');
      return undefined;
    }
    for (let next = first; next.done !== true; next = await opened.lines.next()) {
      lines.push(next.value);
      if (lines.length >= limit) break;
    }
  }
  if (lines.length === 0) {
    if (options.text('file') === undefined) return undefined;
    throw usageError('--file has no lines; it needs at least one sentence.', { option: 'file' });
  }
  for (const { error, number } of lines) if (error !== undefined) throw onLine(error, number);
  return lines.map(({ number, text }) => ({ line: number, source: text }));
}

function encode({ tokenizer }: LoadedModel, text: string, line: number): Int32Array {
  try {
    return tokenizer.encode(text);
  } catch (error) {
    throw isRowError(error) ? onLine(error, line) : error;
  }
}

/** Decodes the first sentences unmeasured; returns how often each sentence is to be decoded. */
async function warmUp(
  strategies: readonly Strategy[],
  sources: readonly Int32Array[],
  signal: AbortSignal,
  now: () => number,
): Promise<number> {
  const start = now();
  const warm = sources.slice(0, WARM_UP);
  for (const source of warm) await measure(strategies, source, 1, signal);
  const perSentence = (now() - start) / warm.length;
  return perSentence * sources.length * REPEATS <= PATIENCE_MS ? REPEATS : 1;
}

async function race(
  context: CommandContext,
  model: LoadedModel,
  strategies: readonly Strategy[],
  sentences: readonly Sentence[],
  sources: readonly Int32Array[],
  repeats: number,
): Promise<RaceRow[]> {
  const { io, note } = context;
  const { tokenizer } = model;
  const screen = openScreen(context, sentences.length);
  const rows: RaceRow[] = [];
  try {
    for (const [index, { line, source, reference }] of sentences.entries()) {
      const unknownTokens = tokenizer.countUnknown(sources[index]);
      if (unknownTokens > 0) await note(unknownWarning(line, unknownTokens));
      await screen.begin(source);
      const runs = await measure(strategies, sources[index], repeats, io.signal);
      await screen.finish(
        source,
        runs.map((run) => laneOf(run, tokenizer)),
      );
      rows.push({
        source,
        reference,
        unknownTokens,
        runs: runs.map((run) => ({ ...run, text: tokenizer.decode(run.tokenIds) })),
      });
    }
  } finally {
    screen.restore();
  }
  return rows;
}
