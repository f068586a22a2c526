import { ForetokenError } from '@foretoken/core';
import type { LoadedModel } from '@foretoken/models';
import { machineReport } from './machine.js';
import { type Diagnoses, diagnoseFamilies } from './nar-diagnosis.js';
import { distillationOf, type Remedy, remediesOf, rowsByName, targetsOf } from './nar-groups.js';
import { type Failure, race, requestsOf, type Way } from './nar-measure.js';
import { type NarModels, type PartName, type Parts, partsOf } from './nar-models.js';
import { type NarRow, outputsOf, type Raced, rowOf } from './nar-rows.js';
import { NAR_STRATEGIES, type NarStrategy } from './nar-strategies.js';
import { rounded } from './statistics.js';
import type { TestSet } from './test-sets.js';

export interface NarBenchOptions {
  /** Rows to measure besides the baselines; default: all. */
  readonly strategies?: readonly string[] | undefined;
  readonly repeats?: number | undefined;
  readonly progress?: ((text: string) => void) | undefined;
}

/** A row that there is no model for. */
export interface MissingRow {
  readonly strategy: string;
  readonly model: NarStrategy['model'];
  /** What the folder lacks; empty where there is no such folder. */
  readonly lacks: readonly PartName[];
}

export interface NarReport {
  readonly bench: 'nar';
  readonly testSet: string;
  readonly sentences: number;
  readonly repeats: number;
  readonly batch: { readonly size: number; readonly batches: number };
  readonly precision: string;
  readonly threads: number;
  readonly machine: Readonly<Record<string, string>>;
  readonly rows: readonly NarRow[];
  readonly remedies: readonly Remedy[];
  readonly distillation: ReturnType<typeof distillationOf>;
  readonly targets: ReturnType<typeof targetsOf>;
  readonly diagnosis: Diagnoses['diagnosis'];
  readonly missing: readonly MissingRow[];
  readonly failed: readonly Failure[];
  readonly seconds: number;
}

/** What all others are compared with. */
const BASELINES = ['greedy', 'beam4'];
const BATCH = 32;
const WARM_UP = 20;

/**
 * Every strategy side by side on one test set: quality, repetition, length, forwards, and time from source ids to target ids
 * (encoding included), one sentence at a time and in batches of 32, all strategies taking turns on the same threads.
 *
 * Rows whose model is not there are listed under `missing`, those that a typed error ended under `failed`. Throws
 * `INVALID_ARGUMENT` for a name of no row.
 */
export async function narBench(
  models: NarModels,
  testSet: TestSet,
  { strategies, repeats = 3, progress }: NarBenchOptions = {},
): Promise<NarReport> {
  const began = performance.now();
  const { sources, references } = testSet;
  const encoded = new Map(
    Object.values(models.loaded).map((model) => [model, sources.map((text) => model.tokenizer.encode(text))]),
  );
  const ways: Way[] = [];
  const missing: MissingRow[] = [];
  const chosen = chooseRows(strategies);
  for (const strategy of chosen) {
    const model = models.loaded[strategy.model];
    const parts = model === undefined ? {} : partsOf(model);
    const lacks = strategy.needs.filter((part) => parts[part] === undefined);
    if (model === undefined || lacks.length > 0) {
      missing.push({ strategy: strategy.name, model: strategy.model, lacks: model === undefined ? [] : lacks });
    } else ways.push({ name: strategy.name, decode: strategy.open(parts as Parts), sources: encoded.get(model) ?? [] });
  }
  const alone = await race(ways, {
    requests: requestsOf(sources.length, 1),
    repeats,
    warmUp: WARM_UP,
    progress: (done) => (done % 50 === 0 ? progress?.(`${done} of ${sources.length} sentences`) : undefined),
  });
  const requests = requestsOf(sources.length, BATCH);
  const batched = await race(
    ways.filter(({ name }) => alone.decoded.has(name)),
    {
      requests,
      repeats,
      warmUp: 1,
      progress: (done) => (done % 10 === 0 ? progress?.(`${done} of ${requests.length} batches`) : undefined),
    },
  );
  const racedBy = (name: string): Raced | undefined => {
    const [one, many] = [alone.decoded.get(name), batched.decoded.get(name)];
    return one === undefined || many === undefined ? undefined : { alone: one, batched: many };
  };
  const baselines = { greedy: racedBy('greedy'), beam4: racedBy('beam4') };
  const rows = chosen.flatMap((strategy) => {
    const raced = racedBy(strategy.name);
    if (raced === undefined) return [];
    const { tokenizer } = models.loaded[strategy.model] as LoadedModel;
    return [rowOf(strategy, raced, baselines, tokenizer, references)];
  });
  progress?.('diagnosis');
  const shipped = models.loaded.shipped as LoadedModel;
  const { diagnosis, failures } = await diagnoseFamilies(shipped, encoded.get(shipped) ?? [], references, (name) => {
    const raced = racedBy(name);
    return raced === undefined ? undefined : outputsOf(raced.alone);
  });
  const byName = rowsByName(rows);
  return {
    bench: 'nar',
    testSet: testSet.name,
    sentences: sources.length,
    repeats,
    batch: { size: requests[0]?.length ?? 0, batches: requests.length },
    precision: 'float32; rows named fast: int8 products, fewer layers, a shortlist',
    threads: models.threads,
    machine: machineReport(),
    rows,
    remedies: remediesOf(byName),
    distillation: distillationOf(byName),
    targets: targetsOf(byName),
    diagnosis,
    missing,
    failed: [...alone.failures, ...batched.failures, ...failures],
    seconds: rounded((performance.now() - began) / 1000, 1),
  };
}

/** The rows named, and the baselines. Throws `INVALID_ARGUMENT` for a name that none has. */
export function chooseRows(names: readonly string[] | undefined): readonly NarStrategy[] {
  if (names === undefined) return NAR_STRATEGIES;
  const known = NAR_STRATEGIES.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new ForetokenError('INVALID_ARGUMENT', `There is no row ${unknown}. Rows: ${known.join(', ')}.`, {
      option: 'strategies',
      received: unknown,
      required: known,
    });
  }
  return NAR_STRATEGIES.filter(({ name }) => BASELINES.includes(name) || names.includes(name));
}
