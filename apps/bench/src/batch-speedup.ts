import { collect, type DecodeEndEvent, type Decoder, type TokenSource } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { speculative } from '@foretoken/speculative';
import type { BenchModel } from './bench-model.js';
import { rounded, roundedSpread, spread } from './statistics.js';

type Model = BenchModel['autoregressive'];

interface BatchRun {
  readonly decoder: Decoder<Model>;
  readonly milliseconds: number;
  readonly end: DecodeEndEvent;
}

const BATCHES = [1, 4, 16, 64] as const;

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
  for (const rows of BATCHES) byRows.push([rows, await measureBatches(bench, drafter(), sources, rows)] as const);
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
  const warmUp = 4;
  const batches = Math.max(6, Math.min(60, Math.floor(sources.length / rows)));
  for (let index = -warmUp; index < batches; index++) {
    const first = (((index + warmUp) * rows) % Math.max(1, sources.length - rows + 1)) | 0;
    const batch = sources.slice(first, first + rows);
    // Who begins takes turns, and the faster of two runs each counts: the machine may be busy.
    const runs: BatchRun[] = [];
    for (let repeat = 0; repeat < 2; repeat++) {
      const order = (index + repeat) % 2 === 0 ? [plain, fast] : [fast, plain];
      for (const decoder of order) runs.push({ decoder, ...(await time(decoder, batch)) });
    }
    if (index < 0) continue;
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
    speedup: roundedSpread(spread(ratios)),
    speedupOfTotals: rounded(times.greedy / times.speculative, 3),
    identical: equal / counted,
    batches,
  };
}

function equalRows(one: DecodeEndEvent, other: DecodeEndEvent): number {
  return one.results.filter(({ best }, row) => {
    const tokenIds = other.results[row]?.best.tokenIds;
    return tokenIds?.length === best.tokenIds.length && best.tokenIds.every((id, index) => id === tokenIds[index]);
  }).length;
}
