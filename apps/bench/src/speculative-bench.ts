import { collect, type DecodeEndEvent, type DecodeEvent, type Decoder, type TokenSource } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { latticeDrafter, ngramDrafter, speculative } from '@foretoken/speculative';
import { measureBatchSpeedup } from './batch-speedup.js';
import { type BenchModel, draftingOptions } from './bench-model.js';
import { machineReport } from './machine.js';
import { sameTokens } from './same-tokens.js';
import { mean, rounded, roundedSpread, spread } from './statistics.js';
import { measureStepCosts } from './step-costs.js';
import type { TestSet } from './test-sets.js';
import { measureWidthBits } from './width-bits.js';

export interface SpeculativeBenchOptions {
  /** Sentences to decode; default all. */
  readonly limit?: number | undefined;
  /** Times each sentence is decoded each way; the fastest counts, which drops moments when others held the core. */
  readonly repeats?: number | undefined;
  readonly progress?: ((text: string) => void) | undefined;
}

interface Timed {
  readonly milliseconds: number;
  readonly end: DecodeEndEvent;
}

async function timed(run: () => AsyncIterable<DecodeEvent>): Promise<Timed> {
  const began = performance.now();
  const end = await collect(run());
  return { milliseconds: performance.now() - began, end };
}

const outputOf = ({ end }: Timed): Int32Array => end.results[0]?.hypotheses[0]?.tokenIds;

/**
 * Greedy against speculative decoding, interleaved sentence by sentence in one process: batch 1, same threads, everything
 * from source ids to target ids included (encoder, drafting, verification); the fastest of a few runs in a row counts.
 */
export async function speculativeBench(
  bench: BenchModel,
  testSet: TestSet,
  options: SpeculativeBenchOptions = {},
): Promise<Record<string, unknown>> {
  const { loaded, autoregressive } = bench;
  const { limit = testSet.sources.length, repeats = 3, progress } = options;
  const drafting = draftingOptions(bench);
  const decoders = {
    greedy: greedy(),
    speculative: speculative({ drafter: latticeDrafter(drafting) }),
    tree: speculative({ drafter: latticeDrafter({ ...drafting, shape: 'tree' }) }),
    ngram: speculative({ drafter: ngramDrafter({ vocabulary: autoregressive.vocabulary }), shape: 'chain' }),
  } as const;
  const names = Object.keys(decoders) as (keyof typeof decoders)[];
  const sources = testSet.sources.slice(0, limit).map((text) => loaded.tokenizer.encode(text));
  const request = (source: TokenSource) => ({ sources: [source] });

  for (const source of sources.slice(0, 20)) {
    for (const name of names) await collect(decoders[name].decode(autoregressive, request(source)));
  }

  const ratios: Record<string, number[]> = {};
  const totals: Record<
    string,
    { milliseconds: number; forwards: number; tokens: number; identical: number; end: DecodeEndEvent['statistics'][] }
  > = {};
  const tally = (name: string, best: Timed, same: boolean): void => {
    totals[name] ??= { milliseconds: 0, forwards: 0, tokens: 0, identical: 0, end: [] };
    const total = totals[name];
    total.milliseconds += best.milliseconds;
    total.forwards += best.end.statistics.forwards;
    total.tokens += best.end.statistics.tokens;
    total.identical += same ? 1 : 0;
    total.end.push(best.end.statistics);
  };
  const better = (a: Timed | undefined, b: Timed): Timed =>
    a === undefined || b.milliseconds < a.milliseconds ? b : a;
  const began = performance.now();
  for (const [index, source] of sources.entries()) {
    const best: Partial<Record<keyof typeof decoders, Timed>> = {};
    // Repeats in a row, as in use, where one strategy decodes sentence after sentence: after another strategy's run its own
    // weights are out of the cache. Who comes first changes from sentence to sentence.
    const first = index % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      for (let repeat = 0; repeat < repeats; repeat++) {
        best[name] = better(best[name], await timed(() => decoders[name].decode(autoregressive, request(source))));
      }
    }
    const reference = best.greedy;
    if (reference === undefined) throw new RangeError('repeats must be at least 1');
    for (const name of names) {
      const result = best[name] as Timed;
      tally(name, result, sameTokens(outputOf(result), outputOf(reference)));
      ratios[name] ??= [];
      ratios[name].push(reference.milliseconds / result.milliseconds);
    }
    if (index % 50 === 49) progress?.(`${index + 1} of ${sources.length} sentences`);
  }

  const runtimeShare = await measureRuntimeShare(bench, sources.slice(0, 200));
  const stepCosts = await measureStepCosts(bench, sources);
  const own = await measureOwnTime(bench, decoders.speculative, sources.slice(0, 200));
  const batchSpeedup = await measureBatchSpeedup(bench, () => latticeDrafter(drafting), sources);
  const widthsBitEqual = await measureWidthBits(bench, sources.slice(0, 100));
  const row = (name: string): Record<string, unknown> => {
    const total = totals[name];
    const counts = total.end;
    const sum = (key: 'proposed' | 'evaluated' | 'accepted' | 'draftForwards'): number =>
      counts.reduce((all, { speculation }) => all + (speculation?.[key] ?? 0), 0);
    const own = {
      millisecondsPerSentence: rounded(total.milliseconds / sources.length, 3),
      forwardsPerSentence: rounded(total.forwards / sources.length, 3),
      tokensPerForward: rounded(total.tokens / total.forwards, 3),
    };
    if (name === 'greedy') return own;
    return {
      ...own,
      identical: total.identical / sources.length,
      speedup: roundedSpread(spread(ratios[name])),
      speedupOfTotals: rounded(totals.greedy.milliseconds / total.milliseconds, 3),
      proposedPerForward: rounded(sum('proposed') / total.forwards, 3),
      acceptedPerForward: rounded(sum('accepted') / total.forwards, 3),
    };
  };
  const main = totals.speculative;
  return {
    bench: 'speculative',
    testSet: testSet.name,
    sentences: sources.length,
    repeats,
    batch: 1,
    precision: 'float32',
    threads: loaded.threads,
    machine: machineReport(),
    identical: main.identical / sources.length,
    speedup: rounded(spread(ratios.speculative).median, 3),
    tokensPerForward: rounded(main.tokens / main.forwards, 3),
    batchSpeedup,
    ownMilliseconds: rounded(own.median, 4),
    ownMillisecondsSpread: roundedSpread(own),
    widthsBitEqual,
    ...stepCosts,
    runtimeShare: rounded(runtimeShare.median, 3),
    runtimeShareSpread: roundedSpread(runtimeShare),
    meanSourceTokens: rounded(mean(sources.map(({ length }) => length)), 2),
    strategies: { greedy: row('greedy'), speculative: row('speculative'), tree: row('tree'), ngram: row('ngram') },
    seconds: rounded((performance.now() - began) / 1000, 1),
  };
}

/** Milliseconds a round of a speculative decode spends outside ONNX Runtime: drafting arithmetic, trees, caches, events. */
async function measureOwnTime(
  { autoregressive, loaded }: BenchModel,
  decoder: Decoder<BenchModel['autoregressive']>,
  sources: readonly TokenSource[],
) {
  const own: number[] = [];
  for (const source of sources) {
    loaded.timings.reset();
    const { milliseconds, end } = await timed(() => decoder.decode(autoregressive, { sources: [source] }));
    own.push((milliseconds - loaded.timings.milliseconds) / end.statistics.forwards);
  }
  return spread(own);
}

/** Share of greedy decoding's time that is spent inside ONNX Runtime, by sentence. */
async function measureRuntimeShare(bench: BenchModel, sources: readonly TokenSource[]) {
  const plain = greedy();
  const shares: number[] = [];
  for (const source of sources) {
    bench.loaded.timings.reset();
    const { milliseconds } = await timed(() => plain.decode(bench.autoregressive, { sources: [source] }));
    shares.push(bench.loaded.timings.milliseconds / milliseconds);
  }
  return spread(shares);
}
