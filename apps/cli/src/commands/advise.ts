import type { DecodeRequest, TokenSource } from '@foretoken/core';
import type { LoadedModel } from '@foretoken/models';
import { type Advice, advise, paretoFront } from '../advise/advice.js';
import { candidatesFor } from '../advise/candidates.js';
import { svgChart, terminalChart } from '../advise/chart.js';
import { commandFor, programFor } from '../advise/code.js';
import { type Measured, measureCandidates, REPEATS } from '../advise/measure-candidates.js';
import { QUALITIES, type Quality, type Summary, summarise } from '../advise/measurements.js';
import { type CommandContext, type CommandDefinition, OPTIONS } from '../command.js';
import { EXIT, isRowError, usageError } from '../errors.js';
import { toJson, write } from '../io.js';
import { readLines } from '../lines.js';
import { loadChosenModel } from '../load.js';
import { examineTarget, notWritable, openTarget } from '../output-file.js';
import { measuredTokens } from '../race/measure.js';
import { requestFor } from '../requests.js';
import { findPart } from '../strategy-names.js';
import { LiveRegion } from '../terminal/live-region.js';
import { safeText } from '../terminal/style.js';
import { table } from '../terminal/table.js';
import { wrap } from '../terminal/wrap.js';
import { openText, readChunks } from '../text-files.js';

const SECONDS = 30;

export const adviseCommand: CommandDefinition = {
  name: 'advise',
  positionals: [],
  description: 'Measure every strategy a model can serve on your text and machine, and recommend one',
  examples: [
    'foretoken advise --data sentences.txt',
    'foretoken advise --data captions.en --references captions.de --latency-budget 50ms --svg chart.svg',
    'foretoken advise --model my-model --data sentences.txt --quality exact --json',
  ],
  options: [
    { flag: '--data <path>', description: 'Sentences of yours, one a line; 30 or more' },
    { flag: '--references <path>', description: 'What each of them should become, one a line' },
    {
      flag: '--quality <name>',
      values: QUALITIES,
      description:
        'bleu or chrf (against references), or exact (share of outputs equal to greedy); default: bleu with references, else exact',
    },
    { flag: '--latency-budget <time>', description: 'What 19 of 20 sentences may take at most, such as 50ms or 0.2s' },
    {
      flag: '--max-new-tokens <n>',
      description: 'Tokens of an output at most (default: 64, or twice those of a longer sentence)',
    },
    { flag: '--seconds <n>', description: `What measuring may take, roughly (default: ${SECONDS})` },
    { flag: '--svg <path>', description: 'Also draw the chart into this file' },
    OPTIONS.model,
    OPTIONS.threads,
    OPTIONS.json,
  ],
  run,
};

interface Sample {
  readonly text: string;
  readonly reference?: string | undefined;
  readonly request: DecodeRequest<TokenSource>;
}

async function run(context: CommandContext): Promise<number> {
  const { options, io, services, note } = context;
  const latencyBudget = budgetFrom(options.text('latency-budget'));
  const seconds = options.integer('seconds', 1, 86_400) ?? SECONDS;
  const maxNewTokens = options.integer('max-new-tokens', 1, 1_000_000);
  const data = options.text('data');
  if (data === undefined) throw usageError('foretoken advise needs --data, a file of sentences, one a line.');
  const lines = await linesOf('data', data, io.signal);
  const referenceFile = options.text('references');
  const references = referenceFile === undefined ? undefined : await linesOf('references', referenceFile, io.signal);
  if (references !== undefined && references.length !== lines.length) {
    throw usageError(`--data has ${lines.length} lines and --references ${references.length}; they must be equal.`);
  }
  const svg = options.text('svg');
  // Before anything is measured.
  if (svg !== undefined) await examineTarget('svg', svg, { data, references: referenceFile });
  const quality = options.choice('quality', QUALITIES) ?? (references === undefined ? 'exact' : 'bleu');
  if (quality !== 'exact' && references === undefined) {
    throw usageError(`--quality ${quality} needs --references, what each sentence should become.`);
  }
  const model = await loadChosenModel(context);
  try {
    if (quality === 'exact' && findPart(model, 'autoregressive') === undefined) {
      throw usageError('This model cannot decode greedily, so nothing is exact. Give --references.', {
        option: 'quality',
      });
    }
    const { samples, left } = await readSamples(model, lines, { references, maxNewTokens, signal: io.signal });
    if (left > 0) await note(`Left out: ${left} lines that are empty or too long for the model.`);
    if (samples.length === 0) throw usageError('--data has no line that the model can read.', { option: 'data' });
    const candidates = candidatesFor(model);
    const measured = await measureAll(context, candidates, samples, model, seconds);
    const used = samples.slice(0, measured.sentences);
    if (measured.measurements.length === 0) {
      throw measured.refused[0]?.error ?? usageError('This model serves no strategy that could be measured.');
    }
    if (used.length < samples.length) {
      await note(`Measured ${used.length} of ${samples.length} sentences in the time there was; --seconds gives more.`);
    }
    const greedy = measured.measurements.find(({ name }) => name === 'greedy');
    const expected = quality === 'exact' ? (greedy?.outputs ?? []) : used.map(({ reference }) => reference ?? '');
    const summaries = summarise(measured.measurements, quality, expected);
    const advice = advise(summaries, { quality, sentences: used.length, latencyBudget });
    const front = paretoFront(summaries);
    if (svg !== undefined) await save(svg, svgChart(summaries, front, advice.recommended, quality));
    const [chosen] = candidates.filter(({ name }) => name === advice.recommended.name);
    const program = programFor(chosen, {
      model: options.text('model') ?? '@foretoken/model-multi30k-en-de',
      sentence: used[0].text,
      ngrams: findPart(model, 'languageModel') !== undefined,
      ownSourceTokens: model.description.ownSourceTokens,
    });
    const command = commandFor(chosen, options.text('model'), data);
    const report: Report = { advice, summaries, front, quality, measured, program, command, threads: model.threads };
    const text = options.flag('json')
      ? toJson(recordOf(report, services.runtime()))
      : linesFor(report, context.columns).join('\n');
    await write(io.stdout, `${text}\n`);
    return EXIT.ok;
  } finally {
    await model[Symbol.asyncDispose]();
  }
}

/** Milliseconds. Throws `INVALID_ARGUMENT`. */
function budgetFrom(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s)$/.exec(text) ?? [];
  const budget = Number(number) * (unit === 's' ? 1000 : 1);
  if (budget > 0) return budget;
  throw usageError(`--latency-budget must be a time such as 50ms or 0.2s, but was ${JSON.stringify(text)}.`, {
    option: 'latency-budget',
    received: text,
  });
}

async function linesOf(option: string, path: string, signal: AbortSignal): Promise<string[]> {
  const lines: string[] = [];
  for await (const { text } of readLines(readChunks(await openText(option, path, signal), option, path, signal))) {
    lines.push(text);
  }
  return lines;
}

async function readSamples(
  model: LoadedModel,
  lines: readonly string[],
  {
    references,
    maxNewTokens,
    signal,
  }: {
    readonly references: readonly string[] | undefined;
    readonly maxNewTokens: number | undefined;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly samples: readonly Sample[]; readonly left: number }> {
  const samples: Sample[] = [];
  for (const [index, text] of lines.entries()) {
    if (text.trim() === '') continue;
    try {
      const { request } = await requestFor(model, text);
      const bounded = { ...request, maxNewTokens: maxNewTokens ?? measuredTokens(request.sources[0]), signal };
      samples.push({ text, reference: references?.[index], request: bounded });
    } catch (error) {
      if (!isRowError(error)) throw error;
    }
  }
  return { samples, left: lines.length - samples.length };
}

async function measureAll(
  { io, services, style, options, note }: CommandContext,
  candidates: Parameters<typeof measureCandidates>[0],
  samples: readonly Sample[],
  { tokenizer }: LoadedModel,
  seconds: number,
): Promise<Measured> {
  await note(`Measuring ${candidates.length} ways to decode for about ${seconds} s...`);
  const region = style.stderr.escapes && !options.flag('quiet') ? new LiveRegion(io.stderr) : undefined;
  try {
    return await measureCandidates(
      candidates,
      samples.map(({ request }) => request),
      {
        milliseconds: 1000 * seconds,
        signal: io.signal,
        now: services.now,
        textOf: (tokenIds) => tokenizer.decode(tokenIds),
        onProgress: (done, of) => region?.draw([`${done} of ${of} sentences`]),
      },
    );
  } finally {
    region?.draw([]);
    region?.restore();
  }
}

async function save(path: string, text: string): Promise<void> {
  const file = await openTarget('svg', path);
  try {
    await file.truncate(0);
    await file.writeFile(text);
  } catch (error) {
    throw notWritable('svg', path, error);
  } finally {
    await file.close();
  }
}

interface Report {
  readonly advice: Advice;
  readonly summaries: readonly Summary[];
  readonly front: readonly Summary[];
  readonly quality: Quality;
  readonly measured: Measured;
  readonly program: string;
  readonly command: string;
  readonly threads: number;
}

const HEADINGS: Readonly<Record<Quality, string>> = { bleu: 'BLEU', chrf: 'chrF', exact: '% as greedy' };

function linesFor(report: Report, columns: number): string[] {
  const { advice, summaries, front, quality, measured, program, command, threads } = report;
  const sorted = [...summaries].sort((a, b) => a.milliseconds - b.milliseconds);
  const mark = (one: Summary): string => (one === advice.recommended ? '#' : front.includes(one) ? '*' : ' ');
  const rows = sorted.map((one) => [
    `${mark(one)} ${one.name}`,
    one.milliseconds.toFixed(2),
    one.p95.toFixed(2),
    `${one.range[0].toFixed(2)}-${one.range[1].toFixed(2)}`,
    one.quality.toFixed(1),
  ]);
  const conditions = `${measured.sentences} sentences, one at a time, ${REPEATS} repeats in turns, ${threads} ${threads === 1 ? 'thread' : 'threads'}. p95: 19 of 20 sentences take no longer.`;
  const refused = measured.refused.map(({ name, error }) => `Not measured: ${name}. ${error.message}`);
  const text = (lines: readonly string[]): string[] => lines.flatMap((line) => wrap(safeText(line), columns));
  return [
    ...table([['strategy', 'ms/sentence', 'p95', 'repeats', HEADINGS[quality]], ...rows], columns),
    ...text([conditions, ...refused]),
    '',
    ...terminalChart(summaries, front, advice.recommended, quality, columns),
    '',
    ...text([`Recommended: ${advice.recommended.name}`, ...advice.reasons]),
    ...text(advice.confidence === 'low' ? ['Low confidence:', ...advice.doubts.map((doubt) => `- ${doubt}`)] : []),
    '',
    command,
    '',
    ...program.trimEnd().split('\n').map(safeText),
  ];
}

function recordOf({ advice, front, measured, summaries, ...rest }: Report, runtime: string): object {
  return {
    version: 1,
    runtime,
    sentences: measured.sentences,
    repeats: REPEATS,
    ...rest,
    recommended: advice.recommended.name,
    reasons: advice.reasons,
    confidence: advice.confidence,
    doubts: advice.doubts,
    front: front.map(({ name }) => name),
    strategies: summaries,
    notMeasured: measured.refused.map(({ name, error }) => ({ name, code: error.code, message: error.message })),
  };
}
