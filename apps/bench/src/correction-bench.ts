import { collect, type DecodeStatistics } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import type { LoadedModel } from '@foretoken/models';
import { nearestWordCorrector } from './correction/nearest-word.js';
import {
  capitalsScore,
  copied,
  editScores,
  falseChanges,
  markScore,
  restored,
  type Triple,
} from './correction/scores.js';
import { ceilingWay, type Way, waysOf } from './correction/ways.js';
import type { CorrectionTests } from './correction-tests.js';
import { machineReport } from './machine.js';
import { mean, rounded, roundedSpread, spread } from './statistics.js';

export interface CorrectionBenchOptions {
  /** Times each sentence is corrected each way; the fastest counts. Default 3. */
  readonly repeats?: number | undefined;
  /** Most sentences that are timed; default 200. */
  readonly timed?: number | undefined;
  readonly progress?: ((text: string) => void) | undefined;
}

/** A word list's misspellings in good lines. */
export interface Misspelt {
  readonly source: string;
  readonly target: string;
}

type Correct = (text: string) => Promise<string>;

/**
 * How well and how fast a folder corrects: every way of decoding it has, `product` (what `foretoken correct` does) and a plain
 * baseline, on the same lines; times side by side, one sentence at a time.
 */
export async function correctionBench(
  model: LoadedModel,
  tests: CorrectionTests,
  misspelt: readonly Misspelt[],
  { repeats = 3, timed = 200, progress = () => {} }: CorrectionBenchOptions = {},
): Promise<Record<string, unknown>> {
  const began = performance.now();
  const ways = waysOf(model);
  const rows: Record<string, Record<string, unknown>> = {};
  for (const way of ways) {
    const made = new Map<string, string>();
    rows[way.name] = await quality(tests, misspelt, async (text) => {
      const known = made.get(text) ?? (await way.correct(text)).text;
      made.set(text, known);
      return known;
    });
    progress(`${way.name}: quality measured`);
  }
  const plain = nearestWordCorrector();
  const baseline = await quality(tests, misspelt, async (text) => plain(text));
  const texts = [...tests.typed, ...misspelt.map(({ source }) => source)].filter(isSentence).slice(0, timed);
  const speed = await race([...ways, ceilingWay(model, await greedyOutputs(model, texts))], texts, repeats);
  progress('times measured');
  const greedyTimes = speed.get('greedy')?.milliseconds ?? [];
  const speedups = (name: string): number[] =>
    (speed.get(name)?.milliseconds ?? []).map((time, index) => greedyTimes[index] / time);
  for (const [name, { milliseconds, statistics, texts: corrected }] of speed) {
    const plainTexts = speed.get('greedy')?.texts ?? [];
    rows[name] = {
      ...rows[name],
      millisecondsPerSentence: rounded(mean(milliseconds), 3),
      ...countsOf(statistics),
      identical: rounded(mean(corrected.map((text, index) => (text === plainTexts[index] ? 1 : 0)))),
      speedup: roundedSpread(spread(speedups(name))),
    };
  }
  const { product } = rows;
  const drafted = rows['speculative-copy'];
  const [speedup, ceiling] = [spread(speedups('speculative-copy')).median, spread(speedups('ceiling')).median];
  return {
    bench: 'correction',
    model: model.manifest.name,
    lines: tests.good.length,
    misspeltLines: misspelt.length,
    timedSentences: texts.length,
    repeats,
    threads: model.threads,
    precision: 'float32',
    machine: machineReport(),
    restored: { synthetic: product.restored, misspellings: product.misspellings },
    f05: product.f05,
    falseChanges: product.falseChanges,
    foreignChanges: product.foreignChanges,
    copied: product.copied,
    fullStops: product.fullStops,
    joinedFullStops: product.joinedFullStops,
    commas: product.commas,
    capitals: product.capitals,
    identical: drafted.identical,
    speedup: rounded(speedup, 3),
    ceiling: rounded(ceiling, 3),
    shareOfCeiling: rounded(speedup / ceiling, 3),
    millisecondsPerSentence: drafted.millisecondsPerSentence,
    productMillisecondsPerSentence: product.millisecondsPerSentence,
    baseline,
    strategies: rows,
    seconds: rounded((performance.now() - began) / 1000, 1),
  };
}

/** Counts of a sentence, means: forwards of the model, tokens of outputs; with drafts, forwards of the drafter and draft tokens. */
function countsOf(statistics: readonly DecodeStatistics[]): Record<string, number> {
  const per = (count: (one: DecodeStatistics) => number): number => rounded(mean(statistics.map(count)), 3);
  const counts = {
    forwardsPerSentence: per(({ forwards }) => forwards),
    tokensPerSentence: per(({ tokens }) => tokens),
  };
  if (statistics.every(({ speculation }) => speculation === undefined)) return counts;
  return {
    ...counts,
    draftForwardsPerSentence: per(({ speculation }) => speculation?.draftForwards ?? 0),
    evaluatedPerSentence: per(({ speculation }) => speculation?.evaluated ?? 0),
    acceptedPerSentence: per(({ speculation }) => speculation?.accepted ?? 0),
  };
}

async function greedyOutputs(model: LoadedModel, texts: readonly string[]): Promise<Map<string, Int32Array>> {
  const [decoder, target] = [greedy(), model.part('autoregressive')];
  const outputs = new Map<string, Int32Array>();
  for (const text of texts) {
    const { results } = await collect(decoder.decode(target, { sources: [model.tokenizer.encode(text)] }));
    outputs.set(text, results[0].best.tokenIds);
  }
  return outputs;
}

/** Sentences of the length that people write. */
function isSentence(text: string): boolean {
  const words = text.split(/\s+/).length;
  return words >= 10 && words <= 30;
}

async function quality(
  { good, typed, bare, joined, copied: placed, foreign }: CorrectionTests,
  misspelt: readonly Misspelt[],
  correct: Correct,
): Promise<Record<string, unknown>> {
  const triples = async (pairs: readonly Misspelt[]): Promise<Triple[]> => {
    const made: Triple[] = [];
    for (const { source, target } of pairs) made.push({ source, target, output: await correct(source) });
    return made;
  };
  const pairs = (sources: readonly string[]): Misspelt[] =>
    sources.map((source, index) => ({ source, target: good[index] }));
  const asTyped = await triples(pairs(typed));
  const asBare = await triples(pairs(bare));
  const two = await triples(joined.map(([source, target]) => ({ source, target })));
  const clean: string[] = [];
  for (const line of good) clean.push(await correct(line));
  const others: string[] = [];
  for (const line of foreign) others.push(await correct(line));
  const carried = new Map<string, string>();
  for (const [source] of placed) if (!carried.has(source)) carried.set(source, await correct(source));
  const real = await triples(misspelt);
  const edits = editScores(asTyped);
  return {
    restored: rounded(restored(asTyped)),
    precision: rounded(edits.precision),
    recall: rounded(edits.recall),
    f05: rounded(edits.f05),
    falseChanges: rounded(falseChanges(good, clean), 5),
    foreignChanges: rounded(falseChanges(foreign, others)),
    misspellings: { restored: rounded(restored(real)), f05: rounded(editScores(real).f05) },
    fullStops: rounded(markScore(asBare, '.')),
    joinedFullStops: rounded(markScore(two, '.')),
    commas: rounded(markScore(asBare, ',')),
    capitals: rounded(capitalsScore(asBare)),
    copied: Object.fromEntries(Object.entries(copied(placed, carried)).map(([kind, share]) => [kind, rounded(share)])),
  };
}

interface Timed {
  /** By sentence. */
  readonly milliseconds: number[];
  readonly statistics: DecodeStatistics[];
  readonly texts: string[];
}

/** Corrects every text every way, all in turn, another one first each time; the fastest of a few runs in a row counts. */
async function race(ways: readonly Way[], texts: readonly string[], repeats: number): Promise<Map<string, Timed>> {
  const result = new Map<string, Timed>(
    ways.map(({ name }) => [name, { milliseconds: [], statistics: [], texts: [] }]),
  );
  for (const text of texts.slice(0, 20)) for (const way of ways) await way.correct(text);
  for (const [index, text] of texts.entries()) {
    const first = index % ways.length;
    for (const way of [...ways.slice(first), ...ways.slice(0, first)]) {
      let min = Number.POSITIVE_INFINITY;
      const timed = result.get(way.name);
      if (timed === undefined) continue;
      for (let repeat = 0; repeat < repeats; repeat++) {
        const began = performance.now();
        const corrected = await way.correct(text);
        min = Math.min(min, performance.now() - began);
        if (repeat > 0) continue;
        timed.statistics.push(corrected.statistics);
        timed.texts.push(corrected.text);
      }
      timed.milliseconds.push(min);
    }
  }
  return result;
}
