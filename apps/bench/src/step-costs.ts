import { collect, type TokenSource } from '@foretoken/core';
import type { GraphSession, Tensor } from '@foretoken/core/runtime';
import { RuntimeTimings, GraphSession as Session } from '@foretoken/core/runtime';
import { greedy } from '@foretoken/greedy';
import { readGraphWeights } from '@foretoken/importers';
import { openModelFolder, readGraph } from '@foretoken/models';
import type { BenchModel } from './bench-model.js';
import { openBuiltGraph } from './graph-files.js';
import { buildMatrixProducts } from './graphs/matrix-products.js';
import { type BenchShape, buildPlainStep } from './graphs/plain-step.js';
import { plainGreedy } from './plain-loop.js';
import { rounded, roundedSpread, spread } from './statistics.js';
import { stepManifest } from './step-manifest.js';

const WIDTHS = [1, 2, 3, 4, 6, 8, 12, 16];
const PAST = 10;

/**
 * What a step costs and what it could cost at least: the shipped step graph by width, the same weight products alone,
 * the drafting forward, and our greedy loop against a plain one on an unfused graph. All interleaved, and as in the loop:
 * steps a few in a row, what runs once a sentence after other graphs.
 */
export async function measureStepCosts(
  bench: BenchModel,
  sources: readonly TokenSource[],
): Promise<Record<string, unknown>> {
  const { loaded, runtime, autoregressive, lattice, draftLattice } = bench;
  const folder = await openModelFolder(loaded.folder);
  const manifest = stepManifest(folder);
  const weights = await readGraphWeights(folder, manifest.graphs.step.argmax);
  const { width, heads, decoderLayers } = manifest.architecture;
  const shape: BenchShape = {
    width,
    heads,
    layers: decoderLayers,
    feedForward: weights.get('model.decoder.layers.0.fc1.bias')?.values.length as number,
    vocabularySize: manifest.vocabulary.size,
  };
  const { threads } = loaded;
  const open = async (file: string) =>
    Session.create(runtime, await readGraph(folder, file), { threads }, new RuntimeTimings());
  const sessions: GraphSession[] = [];
  try {
    const step = await open(manifest.graphs.step.argmax);
    sessions.push(step);
    const encoder = await open(manifest.graphs.encoder);
    sessions.push(encoder);
    const products = await openBuiltGraph(runtime, (file) => buildMatrixProducts(weights, shape, file), threads);
    sessions.push(products);
    const plainStep = await openBuiltGraph(runtime, (file) => buildPlainStep(weights, shape, file), threads);
    sessions.push(plainStep);

    const { Tensor: RuntimeTensor } = runtime;
    const time = 16;
    const stepFeeds = (count: number): Record<string, Tensor> => {
      const feeds: Record<string, Tensor> = {
        token_ids: new RuntimeTensor('int32', new Int32Array(count).fill(5), [1, count]),
        positions: new RuntimeTensor('int32', new Int32Array(count).fill(PAST), [1, count]),
        scored: new RuntimeTensor(
          'int32',
          Int32Array.from({ length: count }, (_, cell) => cell),
          [count],
        ),
        attention_bias: new RuntimeTensor('float32', new Float32Array(count * (PAST + count)), [
          1,
          1,
          count,
          PAST + count,
        ]),
        cross_bias: new RuntimeTensor('float32', new Float32Array(count * time), [1, 1, count, time]),
      };
      for (let part = 0; part < 2 * decoderLayers; part++) {
        const values = new Float32Array(width * time).fill(0.1);
        const past = new Float32Array(PAST * width).fill(0.1);
        feeds[`past_${part}`] = new RuntimeTensor('float32', past, [1, PAST, width]);
        feeds[`cross_${part}`] = new RuntimeTensor('float32', values, [1, time, width]);
      }
      return feeds;
    };
    const plainOptions = {
      runtime,
      encoder,
      step: plainStep,
      shape,
      startTokenId: manifest.vocabulary.startTokenId,
      endTokenId: manifest.vocabulary.endTokenId,
      maxLength: manifest.limits.targetLength,
    };
    const runs: Record<string, () => Promise<unknown>> = {};
    for (const count of WIDTHS) {
      const feeds = stepFeeds(count);
      runs[`step ${count}`] = () => step.run(feeds);
      const x = { x: new RuntimeTensor('float32', new Float32Array(count * width).fill(0.1), [1, count, width]) };
      runs[`products ${count}`] = () => products.run(x);
    }
    // A step follows a step and finds its weights in the cache.
    const times = await interleave(runs, 150, 5);
    const median = (name: string): number => spread(times[name]).median;

    // The encoder and the drafter run once a sentence, after others.
    const sample = sources.find(({ length }) => length === time) ?? sources[0];
    const encoding = await autoregressive.encoder?.encode([sample]);
    if (encoding === undefined) throw new TypeError('the model has no shared encoder');
    const onceTimes = await interleave(
      {
        encode: async () => (await autoregressive.encoder?.encode([sample]))?.dispose(),
        draft: () => draftLattice.emit([sample], { encoding, k: 4 }),
        step: runs['step 4'] as () => Promise<unknown>,
        oneShot: () => lattice.emit([sample], { encoding, k: 1 }),
      },
      150,
      1,
    );
    const once = (name: string): number => spread(onceTimes[name]).median;
    encoding.dispose();

    const loopRatios: number[] = [];
    const plainOutputs: boolean[] = [];
    for (const source of sources.slice(0, 200)) {
      const beganOurs = performance.now();
      const end = await collect(greedy().decode(autoregressive, { sources: [source] }));
      const ours = performance.now() - beganOurs;
      const beganPlain = performance.now();
      const output = await plainGreedy(source, plainOptions);
      loopRatios.push(ours / (performance.now() - beganPlain));
      const tokenIds = end.results[0]?.hypotheses[0]?.tokenIds;
      plainOutputs.push(tokenIds.length === output.length && output.every((id, index) => id === tokenIds[index]));
    }
    const stepRatio = spread(times['step 1'].map((value, index) => value / times['products 1'][index]));
    const { costs } = autoregressive;
    const oneStep =
      costs === undefined ? median('step 1') : Math.min(...WIDTHS.map((count) => median(`step ${count}`)));
    return {
      draftCost: rounded(once('draft') / oneStep, 3),
      verifyCost: Object.fromEntries(
        WIDTHS.map((count) => [count, rounded(median(`step ${count}`) / median('step 1'), 3)]),
      ),
      verifyCostAsRun: Object.fromEntries(
        WIDTHS.map((count) => [
          count,
          rounded((costs?.milliseconds(1, count) ?? 1) / (costs?.milliseconds(1, 1) ?? 1), 3),
        ]),
      ),
      stepMilliseconds: Object.fromEntries(WIDTHS.map((count) => [count, rounded(median(`step ${count}`), 3)])),
      matrixProductMilliseconds: Object.fromEntries(
        WIDTHS.map((count) => [count, rounded(median(`products ${count}`), 3)]),
      ),
      encodeMilliseconds: rounded(once('encode'), 3),
      draftMilliseconds: rounded(once('draft'), 3),
      oneShotMilliseconds: rounded(once('oneShot'), 3),
      stepOverMatMuls: rounded(stepRatio.median, 3),
      stepOverMatMulsSpread: roundedSpread(stepRatio),
      greedyOverPlainLoop: rounded(spread(loopRatios).median, 3),
      greedyOverPlainLoopSpread: roundedSpread(spread(loopRatios)),
      plainLoopIdentical: plainOutputs.filter(Boolean).length / plainOutputs.length,
    };
  } finally {
    for (const session of sessions) await session.dispose();
  }
}

/** Runs everything in turn, `repeats` times `block` runs in a row, after a warm-up; milliseconds by name, a median a block. */
async function interleave(
  runs: Readonly<Record<string, () => Promise<unknown>>>,
  repeats: number,
  block: number,
): Promise<Record<string, number[]>> {
  const times: Record<string, number[]> = {};
  for (const run of Object.values(runs)) for (let warm = 0; warm < 10; warm++) await run();
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const [name, run] of Object.entries(runs)) {
      const inARow: number[] = [];
      for (let index = 0; index < block; index++) {
        const began = performance.now();
        await run();
        inARow.push(performance.now() - began);
      }
      times[name] ??= [];
      times[name].push(spread(inARow).median);
    }
  }
  return times;
}
