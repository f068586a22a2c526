import { type CommandContext, type CommandDefinition, OPTIONS } from '../command.js';
import { type Benchmark, type NotMeasured, runBenchmark } from '../doctor/benchmark.js';
import { type Finding, findingsOf } from '../doctor/findings.js';
import type { Installation } from '../doctor/installation.js';
import { EXIT, errorRecord } from '../errors.js';
import { toJson, write } from '../io.js';
import { loadChosenModel } from '../load.js';
import { unrestNotes } from '../race/unrest.js';
import { safeText } from '../terminal/style.js';
import { table } from '../terminal/table.js';
import { definitions, wrap } from '../terminal/wrap.js';

export const doctorCommand: CommandDefinition = {
  name: 'doctor',
  positionals: [],
  description: 'Look at this machine and installation, measure for five seconds, say what is missing',
  examples: ['foretoken doctor', 'foretoken doctor --json'],
  options: [OPTIONS.model, OPTIONS.threads, OPTIONS.json],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { options, services, io, columns } = context;
  const installation = await services.inspectInstallation();
  const findings = findingsOf(installation);
  const own = options.text('model') !== undefined;
  const missing = findings.filter(({ state, name }) => state === 'missing' && !(own && name.startsWith('model for')));
  const benchmark = missing.length > 0 ? undefined : await benchmarkOf(context);
  const failed = missing.length > 0 || (benchmark !== undefined && 'error' in benchmark);
  if (options.flag('json')) {
    const record = { version: 1, foretoken: services.version(), ok: !failed, installation, findings, benchmark };
    await write(io.stdout, `${toJson(record)}\n`);
  } else {
    const lines = report(services.version(), installation, findings, benchmark, columns);
    await write(io.stdout, `${lines.map(safeText).join('\n')}\n`);
  }
  return failed ? EXIT.failure : EXIT.ok;
}

type Outcome = Benchmark | NotMeasured | { readonly error: ReturnType<typeof errorRecord> } | undefined;

async function benchmarkOf(context: CommandContext): Promise<Outcome> {
  const { services, io } = context;
  await context.note('Measuring for five seconds...');
  try {
    const model = await loadChosenModel(context);
    try {
      return await runBenchmark(model, services.now, io.signal);
    } finally {
      await model[Symbol.asyncDispose]();
    }
  } catch (error) {
    io.signal.throwIfAborted();
    const record = errorRecord(error);
    if (record.code === 'INVALID_ARGUMENT') throw error;
    return { error: record };
  }
}

function report(
  version: string,
  installation: Installation,
  findings: readonly Finding[],
  benchmark: Outcome,
  columns: number,
): string[] {
  const { platform, arch, glibc, processor, cores, allCores, features, memoryBytes } = installation;
  const facts: [string, string][] = [
    ['foretoken', version],
    ['system', `${platform} ${arch}${glibc === undefined ? '' : `, glibc ${glibc}`}`],
    ['processor', `${processor}, ${cores} of ${allCores} cores for this process`],
    ['features', features === undefined ? 'not told by this system' : features.join(' ')],
    ['memory', `${(memoryBytes / 1e9).toFixed(1)} GB`],
    ...findings.map(({ name, state, found }): [string, string] => [
      name,
      state === 'ok' ? found : `${state}: ${found}`,
    ]),
  ];
  const remedies = findings.flatMap(({ name, remedy }) => (remedy === undefined ? [] : [`${name}: ${remedy}`]));
  return [
    ...definitions(facts, columns),
    '',
    ...benchmarkLines(benchmark, columns),
    ...(remedies.length === 0
      ? [nothingMissing(benchmark)]
      : remedies.flatMap((remedy) => wrap(remedy, columns, '  '))),
  ];
}

/** Only what was measured is known to work. */
function nothingMissing(benchmark: Outcome): string {
  const isMeasured = benchmark !== undefined && 'rows' in benchmark;
  return isMeasured ? 'Nothing is missing.' : 'No part of the installation is missing.';
}

function benchmarkLines(benchmark: Outcome, columns: number): string[] {
  if (benchmark === undefined) return [];
  if ('error' in benchmark) return [...wrap(`The benchmark failed: ${benchmark.error.message}`, columns, '  '), ''];
  if ('notMeasured' in benchmark) return [...wrap(`Nothing was measured: ${benchmark.notMeasured}`, columns, '  '), ''];
  const { threads, rounds, sentences, unrest, rows } = benchmark;
  const cells = rows.map(({ strategy, millisecondsPerSentence: ms }) => [
    strategy,
    ms.toFixed(2),
    (1000 / ms).toFixed(0),
  ]);
  const conditions = `${sentences} sentences, one at a time, ${rounds} rounds, ${threads} ${threads === 1 ? 'thread' : 'threads'}.`;
  return [
    ...table([['strategy', 'ms/sentence', 'sentences/s'], ...cells], columns),
    ...[conditions, ...unrestNotes('round', unrest)].flatMap((note) => wrap(note, columns)),
    '',
  ];
}
