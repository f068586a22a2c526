#!/usr/bin/env node
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { ForetokenError } from '@foretoken/core';
import { loadModel } from '@foretoken/models';
import { modelFolder, openBenchModel, shippedModelFolder } from './bench-model.js';
import { misspelt, realMisspellings } from './correction/misspellings.js';
import { correctionBench } from './correction-bench.js';
import { readCorrectionTests } from './correction-tests.js';
import { foreignBench } from './foreign-bench.js';
import { linesBench } from './lines-bench.js';
import { type LoadTask, runLoadTask } from './load/load-child.js';
import { loadBench } from './load-bench.js';
import { MODEL_ROWS } from './models/model-rows.js';
import { modelsBench } from './models-bench.js';
import { chooseRows, type NarBenchOptions, narBench } from './nar-bench.js';
import { openNarModels } from './nar-models.js';
import { narTable } from './nar-table.js';
import { precisionBench } from './precision-bench.js';
import { qualityBench } from './quality-bench.js';
import { searchBench } from './search-bench.js';
import { sizesBench } from './sizes-bench.js';
import { speculativeBench } from './speculative-bench.js';
import { flickr2016, readTestSet, type TestSet } from './test-sets.js';

const USAGE = `npm run bench -- speculative [--json] [--limit N] [--repeats N]
npm run bench -- search [--json] [--limit N] [--repeats N]
npm run bench -- load [--json] [--repeats N]
npm run bench -- lines [--json] [--limit N] [--source FILE --reference FILE]
npm run bench -- foreign [--json]
npm run bench -- sizes [--json]
npm run bench -- models [--json] [--rows a,b]
npm run bench -- quality [--json] [--limit N] [--source FILE --reference FILE]
npm run bench -- nar [--json] [--limit N] [--repeats N] [--strategies a,b] [--source FILE --reference FILE]
npm run bench -- precision --weights FOLDER [--json] [--limit N] [--repeats N]
npm run bench -- correction [--json] [--limit N] [--repeats N] [--model FOLDER]

  --model FOLDER     another model folder than the shipped one
  --weights FOLDER   precision: a weights folder, as foretoken import takes it
  --controls FOLDER  nar: where the model folders raw, distilled and deep-shallow are
  --strategies a,b   nar: rows to measure beside greedy and beam4
  --rows a,b         models: which to measure; default: all that npm run real-models has fetched
  --threads N        intra-op threads; default: probed
  --json             one JSON object on stdout, nothing else`;

const BENCHES = [
  'speculative',
  'search',
  'quality',
  'nar',
  'correction',
  'load',
  'lines',
  'foreign',
  'sizes',
  'models',
  'precision',
] as const;
const isBench = (name: string | undefined): name is (typeof BENCHES)[number] => BENCHES.some((bench) => bench === name);

class UsageError extends Error {}

function integer(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d*$/.test(text)) throw new UsageError(`--${name} must be a positive integer, but was ${text}.`);
  return Number(text);
}

const OPTIONS = {
  json: { type: 'boolean', default: false },
  limit: { type: 'string' },
  repeats: { type: 'string' },
  threads: { type: 'string' },
  model: { type: 'string' },
  controls: { type: 'string' },
  strategies: { type: 'string' },
  rows: { type: 'string' },
  weights: { type: 'string' },
  source: { type: 'string' },
  reference: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof parse>['values'];

function parse(argv: readonly string[]) {
  return parseArgs({ args: [...argv], allowPositionals: true, options: OPTIONS });
}

const progress = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parse(argv);
  const [bench, ...rest] = positionals;
  if (bench === 'load-task') {
    // The bench of loading starts itself so, in fresh processes.
    const [task, folder = '', target] = rest;
    return void process.stdout.write(JSON.stringify(await runLoadTask(task as LoadTask, folder, target)));
  }
  if (values.help) return void process.stdout.write(`${USAGE}\n`);
  if (!isBench(bench) || rest.length > 0) {
    throw new UsageError(`Name one bench: ${BENCHES.join(', ')}.\n\n${USAGE}`);
  }
  if ((values.source === undefined) !== (values.reference === undefined)) {
    throw new UsageError('--source and --reference go together.');
  }
  for (const option of ['controls', 'strategies'] as const) {
    if (bench !== 'nar' && values[option] !== undefined) throw new UsageError(`--${option} goes with nar.`);
  }
  if (bench !== 'precision' && values.weights !== undefined) throw new UsageError('--weights goes with precision.');
  if (bench !== 'models' && values.rows !== undefined) throw new UsageError('--rows goes with models.');
  if (bench === 'models') return print(await modelsBench(progress, modelRows(values.rows)), values.json);
  if (bench === 'sizes') return print(await sizesBench(), values.json);
  if (bench === 'foreign') {
    return print(await foreignBench(integer('threads', values.threads), integer('limit', values.limit)), values.json);
  }
  if (bench === 'load') {
    const folder = values.model ?? shippedModelFolder();
    return print(await loadBench(folder, { repeats: integer('repeats', values.repeats), progress }), values.json);
  }
  if (bench === 'correction') {
    if (values.source !== undefined) throw new UsageError('The bench of correction has test lines of its own.');
    return runCorrection(values);
  }
  const testSet = await chooseTestSet(values);
  const repeats = integer('repeats', values.repeats);
  const threads = integer('threads', values.threads);
  const options = { progress, repeats };
  if (bench === 'lines') {
    const { sources } = testSet;
    const count = integer('limit', values.limit);
    return print(await linesBench(sources, { count, threads, model: values.model, progress }), values.json);
  }
  if (bench === 'precision') {
    const { weights } = values;
    if (weights === undefined)
      throw new UsageError('--weights names the weights folder that is imported in every precision.');
    return print(await precisionBench(testSet, { weights, threads, repeats, progress }), values.json);
  }
  if (bench === 'nar') return runNar(values, testSet, options, threads);
  const model = await openBenchModel(values.model, threads);
  try {
    const report = {
      speculative: () => speculativeBench(model, testSet, options),
      search: () => searchBench(model, testSet, options),
      quality: () => qualityBench(model, [testSet], progress),
    }[bench];
    process.stdout.write(`${JSON.stringify(await report(), null, values.json ? undefined : 2)}\n`);
  } finally {
    await model.loaded[Symbol.asyncDispose]();
  }
}

function modelRows(text: string | undefined): readonly string[] | undefined {
  const names = text?.split(',').map((name) => name.trim());
  const unknown = names?.find((name) => MODEL_ROWS.every(({ model }) => model !== name));
  if (unknown === undefined) return names;
  throw new UsageError(`There is no model ${unknown}. Models: ${MODEL_ROWS.map(({ model }) => model).join(', ')}.`);
}

function print(report: object, json: boolean): void {
  process.stdout.write(`${JSON.stringify(report, null, json ? undefined : 2)}\n`);
}

async function chooseTestSet({ source, reference, limit: text }: Values): Promise<TestSet> {
  const limit = integer('limit', text);
  const full =
    source === undefined || reference === undefined
      ? await flickr2016()
      : await readTestSet(basename(source).replace(/\.[^.]+$/, ''), source, reference);
  return { ...full, sources: full.sources.slice(0, limit), references: full.references.slice(0, limit) };
}

async function runNar(
  { model: folder, controls, strategies, json }: Values,
  testSet: TestSet,
  options: NarBenchOptions,
  threads: number | undefined,
): Promise<void> {
  const names = strategies?.split(',').map((name) => name.trim());
  // Before the models are opened: a wrong name should not wait for them.
  chooseRows(names);
  const models = await openNarModels({
    folder,
    controls,
    threads,
  });
  try {
    const report = await narBench(models, testSet, {
      ...options,
      strategies: names,
    });
    process.stdout.write(`${json ? JSON.stringify(report) : narTable(report)}\n`);
  } finally {
    await models[Symbol.asyncDispose]();
  }
}

async function runCorrection({ model: folder, threads: count, limit, repeats, json }: Values): Promise<void> {
  const threads = integer('threads', count);
  const tests = await readCorrectionTests(integer('limit', limit));
  const pairs = misspelt(tests.good, await realMisspellings());
  const options = { progress, repeats: integer('repeats', repeats) };
  const model = await loadModel(folder ?? modelFolder('@foretoken/model-english-correction'), {
    threads,
  });
  try {
    const report = await correctionBench(model, tests, pairs, options);
    process.stdout.write(`${JSON.stringify(report, null, json ? undefined : 2)}\n`);
  } finally {
    await model.dispose();
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const code = ForetokenError.isInstance(error) ? ` [${error.code}]` : '';
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}${code}\n`);
  const usage =
    error instanceof UsageError ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  process.exitCode = usage || ForetokenError.isInstance(error) ? 2 : 1;
});
