#!/usr/bin/env node
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { ForetokenError } from '@foretoken/core';
import { openBenchModel } from './bench-model.js';
import { qualityBench } from './quality-bench.js';
import { searchBench } from './search-bench.js';
import { speculativeBench } from './speculative-bench.js';
import { flickr2016, readTestSet } from './test-sets.js';

const USAGE = `npm run bench -- speculative [--json] [--limit N] [--repeats N]
npm run bench -- search [--json] [--limit N] [--repeats N]
npm run bench -- quality [--json] [--limit N] [--source FILE --reference FILE]

  --model FOLDER   another model folder than the shipped one
  --threads N      intra-op threads; default: probed
  --json           one JSON object on stdout, nothing else`;

const BENCHES = ['speculative', 'search', 'quality'] as const;
const isBench = (name: string | undefined): name is (typeof BENCHES)[number] => BENCHES.some((bench) => bench === name);

class UsageError extends Error {}

function integer(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d*$/.test(text)) throw new UsageError(`--${name} must be a positive integer, but was ${text}.`);
  return Number(text);
}

async function main(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      limit: { type: 'string' },
      repeats: { type: 'string' },
      threads: { type: 'string' },
      model: { type: 'string' },
      source: { type: 'string' },
      reference: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const [bench, ...rest] = positionals;
  if (values.help) return void process.stdout.write(`${USAGE}\n`);
  if (!isBench(bench) || rest.length > 0) {
    throw new UsageError(`Name one bench: ${BENCHES.join(', ')}.\n\n${USAGE}`);
  }
  if ((values.source === undefined) !== (values.reference === undefined)) {
    throw new UsageError('--source and --reference go together.');
  }
  const limit = integer('limit', values.limit);
  const progress = (text: string): void => void process.stderr.write(`${text}\n`);
  const full =
    values.source === undefined || values.reference === undefined
      ? await flickr2016()
      : await readTestSet(basename(values.source).replace(/\.[^.]+$/, ''), values.source, values.reference);
  const testSet =
    limit === undefined
      ? full
      : { ...full, sources: full.sources.slice(0, limit), references: full.references.slice(0, limit) };
  const repeats = integer('repeats', values.repeats);
  const model = await openBenchModel(values.model, integer('threads', values.threads));
  try {
    const options = { progress, ...(repeats === undefined ? {} : { repeats }) };
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

main(process.argv.slice(2)).catch((error: unknown) => {
  const code = ForetokenError.isInstance(error) ? ` [${error.code}]` : '';
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}${code}\n`);
  const usage =
    error instanceof UsageError ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  process.exitCode = usage || ForetokenError.isInstance(error) ? 2 : 1;
});
