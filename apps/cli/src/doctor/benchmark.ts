import { largest, smallest } from '@foretoken/core/kit';
import type { LoadedModel } from '@foretoken/models';
import { isRowError } from '../errors.js';
import { EXAMPLE_SENTENCES } from '../example-sentences.js';
import { measure, median } from '../race/measure.js';
import { createStrategy, servableStrategies } from '../strategies.js';
import { partsIn, RACE_STRATEGIES } from '../strategy-names.js';

/** How long the benchmark goes on, and how many rounds it takes at most. */
const BENCHMARK_MS = 5000;
const MAX_ROUNDS = 50;
/** What the round that warms up may take: a model too slow for all sentences decodes those that it came to. */
const WARM_UP_MS = BENCHMARK_MS / 4;

export interface BenchmarkRow {
  readonly strategy: string;
  /** Mean over the sentences, median over the rounds. */
  readonly millisecondsPerSentence: number;
}

export interface Benchmark {
  readonly threads: number;
  readonly sentences: number;
  readonly rounds: number;
  /** Slowest round over fastest round, of the first strategy: 1 on a machine with nothing else to do. */
  readonly unrest: number;
  readonly rows: readonly BenchmarkRow[];
}

/** Nothing could be measured, and why. */
export interface NotMeasured {
  readonly notMeasured: string;
}

/** Decodes the built-in sentences for five seconds, strategies taking turns; slow models decode the first of them. */
export async function runBenchmark(
  model: LoadedModel,
  now: () => number,
  signal: AbortSignal,
): Promise<Benchmark | NotMeasured> {
  const strategies = servableStrategies(model, 'lattice').map((name) => createStrategy(name, model));
  const sources = EXAMPLE_SENTENCES.flatMap(({ source }) => {
    try {
      return [model.tokenizer.encode(source)];
    } catch (error) {
      if (isRowError(error)) return [];
      throw error;
    }
  });
  if (strategies.length === 0) {
    const has = partsIn(model).join(', ') || 'nothing';
    return {
      notMeasured: `${RACE_STRATEGIES.join(', ')} are measured, and this model serves none of them. It has ${has}.`,
    };
  }
  if (sources.length === 0) {
    return { notMeasured: 'this model can read none of the built-in sentences, which are English.' };
  }
  const begunWarming = now();
  let warmed = 0;
  while (warmed < sources.length && (warmed === 0 || now() - begunWarming < WARM_UP_MS)) {
    await measure(strategies, sources[warmed++], 1, signal);
  }
  const used = sources.slice(0, warmed);
  const round = async (): Promise<number[]> => {
    const totals = strategies.map(() => 0);
    for (const source of used) {
      const runs = await measure(strategies, source, 1, signal);
      for (const [index, { milliseconds }] of runs.entries()) totals[index] += milliseconds / used.length;
    }
    return totals;
  };
  const began = now();
  const rounds: number[][] = [];
  while (rounds.length < 2 || (now() - began < BENCHMARK_MS && rounds.length < MAX_ROUNDS)) rounds.push(await round());
  const first = rounds.map((totals) => totals[0]);
  return {
    threads: model.threads,
    sentences: used.length,
    rounds: rounds.length,
    unrest: largest(first) / smallest(first),
    rows: strategies.map(({ name }, index) => ({
      strategy: name,
      millisecondsPerSentence: median(rounds.map((totals) => totals[index])),
    })),
  };
}
