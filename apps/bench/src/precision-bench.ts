import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collect, type TokenSource } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { importModel } from '@foretoken/importers';
import { corpusBleu } from '@foretoken/metrics';
import { type LoadedModel, loadModel } from '@foretoken/models';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { machineReport } from './machine.js';
import { sameTokens } from './same-tokens.js';
import { mean, rounded, roundedSpread, spread } from './statistics.js';
import type { TestSet } from './test-sets.js';
import { measureWidthBits } from './width-bits.js';

export interface PrecisionBenchOptions {
  /** Weights folder of a translation model that is imported in every precision. */
  readonly weights: string;
  readonly threads?: number | undefined;
  /** Times each sentence is decoded; the fastest counts. */
  readonly repeats?: number | undefined;
  readonly progress?: ((text: string) => void) | undefined;
}

const PRECISIONS = ['float32', 'int8', 'int4'] as const;
type Precision = (typeof PRECISIONS)[number];

/**
 * One model with its weights in fp32, 8 and 4 bits, sentence by sentence in one interleaved run: greedy's speed over fp32's, the share of
 * outputs equal to fp32's, BLEU; and what each promises of itself, speculation identical to greedy, and widths equal bit by bit.
 */
export async function precisionBench(
  testSet: TestSet,
  { weights, threads, repeats = 3, progress = () => {} }: PrecisionBenchOptions,
): Promise<Record<string, unknown>> {
  const parent = await mkdtemp(join(tmpdir(), 'foretoken-precision-'));
  const opened: LoadedModel[] = [];
  try {
    const models = {} as Record<Precision, LoadedModel>;
    for (const precision of PRECISIONS) {
      const target = join(parent, precision);
      await importModel(weights, target, { weights: precision, name: precision });
      models[precision] = await loadModel(target, { threads: threads ?? 1 });
      opened.push(models[precision]);
      progress(`${precision}: imported and loaded`);
    }
    return await compare(models, testSet, repeats, progress);
  } finally {
    for (const model of opened) await model.dispose();
    await rm(parent, { recursive: true, force: true });
  }
}

interface Measured {
  readonly milliseconds: number[];
  /** Time of all processors. */
  readonly processorMilliseconds: number[];
  readonly outputs: Int32Array[];
  identical: number;
}

async function compare(
  models: Readonly<Record<Precision, LoadedModel>>,
  { name, sources: texts, references }: TestSet,
  repeats: number,
  progress: (text: string) => void,
): Promise<Record<string, unknown>> {
  const sources = texts.map((text) => models.float32.tokenizer.encode(text));
  const measured = {} as Record<Precision, Measured>;
  for (const precision of PRECISIONS) {
    measured[precision] = {
      milliseconds: [],
      processorMilliseconds: [],
      outputs: [],
      identical: 0,
    };
  }
  const drafted = speculative({
    drafter: ngramDrafter({ vocabulary: models.float32.part('autoregressive').vocabulary }),
    shape: 'chain',
  });
  for (const [index, source] of sources.entries()) {
    for (let turn = 0; turn < PRECISIONS.length; turn++) {
      // Who comes first changes from sentence to sentence.
      const precision = PRECISIONS[(index + turn) % PRECISIONS.length];
      const { tokenIds, milliseconds, processorMilliseconds } = await timedGreedy(models[precision], source, repeats);
      const { results } = await collect(
        drafted.decode(models[precision].part('autoregressive'), { sources: [source] }),
      );
      measured[precision].milliseconds.push(milliseconds);
      measured[precision].processorMilliseconds.push(processorMilliseconds);
      measured[precision].outputs.push(tokenIds);
      if (sameTokens(results[0].best.tokenIds, tokenIds)) measured[precision].identical++;
    }
    if (index % 100 === 99) progress(`${index + 1} of ${sources.length} sentences`);
  }
  const rows: Record<string, unknown> = {};
  for (const precision of PRECISIONS) {
    const { milliseconds, outputs, identical } = measured[precision];
    const same = outputs.filter((output, index) => sameTokens(output, measured.float32.outputs[index])).length;
    const speed = (time: 'milliseconds' | 'processorMilliseconds') =>
      roundedSpread(spread(measured[precision][time].map((own, index) => measured.float32[time][index] / own)));
    const hypotheses = outputs.map((output) => models[precision].tokenizer.decode(output));
    const autoregressive = models[precision].part('autoregressive');
    rows[precision] = {
      bytes: Object.values(models[precision].manifest.files).reduce((sum, { bytes }) => sum + bytes, 0),
      millisecondsPerSentence: rounded(mean(milliseconds), 3),
      speedOverFloat32: speed('milliseconds'),
      processorSpeedOverFloat32: speed('processorMilliseconds'),
      equalToFloat32: rounded(same / sources.length, 4),
      bleu: rounded(corpusBleu(hypotheses, [references]).score, 2),
      identical: identical / sources.length,
      widthsBitEqual: await measureWidthBits({ autoregressive }, sources.slice(0, 100)),
    };
  }
  const { threads } = models.float32;
  return {
    bench: 'precision',
    testSet: name,
    sentences: sources.length,
    repeats,
    threads,
    machine: machineReport(),
    ...rows,
  };
}

async function timedGreedy(model: LoadedModel, source: TokenSource, repeats: number) {
  let milliseconds = Number.POSITIVE_INFINITY;
  let processorMilliseconds = Number.POSITIVE_INFINITY;
  let tokenIds = new Int32Array();
  for (let repeat = 0; repeat < repeats; repeat++) {
    const before = process.cpuUsage();
    const began = performance.now();
    const { results } = await collect(greedy().decode(model.part('autoregressive'), { sources: [source] }));
    milliseconds = Math.min(milliseconds, performance.now() - began);
    const { user, system } = process.cpuUsage(before);
    processorMilliseconds = Math.min(processorMilliseconds, (user + system) / 1000);
    tokenIds = new Int32Array(results[0].best.tokenIds);
  }
  return { tokenIds, milliseconds, processorMilliseconds };
}
