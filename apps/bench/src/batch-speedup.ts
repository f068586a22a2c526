import { collect, type DecodeEndEvent, type Decoder, type TokenSource } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { speculative } from '@foretoken/speculative';
import type { BenchModel } from './bench-model.js';
import { quartiles, rounded, roundedSpread, spread } from './statistics.js';

type Model = BenchModel['autoregressive'];

interface BatchRun {
  readonly decoder: Decoder<Model>;
  readonly milliseconds: number;
  readonly end: DecodeEndEvent;
}

const ROWS = [1, 4, 16, 64] as const;
/** Batches of each number of rows that are not counted, and that are. */
const WARM_UP = 4;
const COUNTED = 60;
/** Times that each decoder decodes a batch. */
const ROUNDS = 3;

/**
 * Places of the sentences of each batch. Batches begin at even distances, so each sentence is in as many as any other, and no two are the
 * same unless there are more batches than sentences. Large batches share sentences. Behind the last sentence a batch goes on with the first.
 */
export function batchesOver(sentences: number, rows: number, batches: number): readonly (readonly number[])[] {
  return Array.from({ length: batches }, (_, batch) => {
    const begin = Math.floor((batch * sentences) / batches);
    return Array.from({ length: rows }, (_, row) => (begin + row) % sentences);
  });
}

/**
 * Greedy time over speculative time by number of rows, interleaved batch by batch, and the share of rows with equal outputs.
 * `drafter` makes the drafter that all batches of one size share.
 */
export async function measureBatchSpeedup(
  bench: BenchModel,
  drafter: () => Parameters<typeof speculative>[0]['drafter'],
  sources: readonly TokenSource[],
): Promise<Record<string, unknown>> {
  const byRows = [];
  for (const rows of ROWS) byRows.push([rows, await measureBatches(bench, drafter(), sources, rows)] as const);
  return Object.fromEntries(byRows);
}

async function measureBatches(
  { autoregressive }: BenchModel,
  drafter: Parameters<typeof speculative>[0]['drafter'],
  sources: readonly TokenSource[],
  rows: number,
): Promise<Record<string, unknown>> {
  const plain = greedy();
  const fast = speculative({ drafter });
  const ratios: number[] = [];
  const times = { greedy: 0, speculative: 0 };
  let equal = 0;
  let counted = 0;
  const time = async (decoder: Decoder<Model>, batch: readonly TokenSource[]) => {
    const began = performance.now();
    const end = await collect(decoder.decode(autoregressive, { sources: batch }));
    return { milliseconds: performance.now() - began, end };
  };
  // The first batches warm up, and let the drafter see what it costs.
  const plan = batchesOver(sources.length, rows, WARM_UP + COUNTED);
  for (const [index, places] of plan.entries()) {
    const batch = places.map((place) => sources[place]);
    // Who begins takes turns, and the fastest run of each counts: the machine may be busy.
    const runs: BatchRun[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const order = (index + round) % 2 === 0 ? [plain, fast] : [fast, plain];
      for (const decoder of order) runs.push({ decoder, ...(await time(decoder, batch)) });
    }
    if (index < WARM_UP) continue;
    const best = (decoder: BatchRun['decoder']): BatchRun =>
      runs.filter((run) => run.decoder === decoder).reduce((a, b) => (b.milliseconds < a.milliseconds ? b : a));
    const [slow, quick] = [best(plain), best(fast)];
    times.greedy += slow.milliseconds;
    times.speculative += quick.milliseconds;
    ratios.push(slow.milliseconds / quick.milliseconds);
    equal += equalRows(slow.end, quick.end);
    counted += batch.length;
  }
  return {
    speedup: { ...roundedSpread(spread(ratios)), quartiles: quartiles(ratios).map((ratio) => rounded(ratio, 3)) },
    speedupOfTotals: rounded(times.greedy / times.speculative, 3),
    identical: equal / counted,
    batches: ratios.length,
  };
}

function equalRows(one: DecodeEndEvent, other: DecodeEndEvent): number {
  return one.results.filter(({ best }, row) => {
    const tokenIds = other.results[row]?.best.tokenIds;
    return tokenIds?.length === best.tokenIds.length && best.tokenIds.every((id, index) => id === tokenIds[index]);
  }).length;
}
