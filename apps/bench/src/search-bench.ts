import { type BeamSearchOptions, beamSearch } from '@foretoken/beam';
import {
  type AutoregressiveModel,
  collect,
  type DecodeEndEvent,
  type Decoder,
  ForetokenError,
  type TokenSource,
} from '@foretoken/core';
import { GraphSession, RuntimeTimings } from '@foretoken/core/runtime';
import { greedy, sampling } from '@foretoken/greedy';
import { corpusBleu } from '@foretoken/metrics';
import { openModelFolder, readGraph } from '@foretoken/models';
import type { BenchModel } from './bench-model.js';
import { copyingModel } from './copying-model.js';
import { machineReport } from './machine.js';
import { sameTokens } from './same-tokens.js';
import { rounded, roundedSpread, spread } from './statistics.js';
import { stepManifest } from './step-manifest.js';
import type { TestSet } from './test-sets.js';

export interface SearchBenchOptions {
  /** Times each sentence is decoded each way; the fastest counts. */
  readonly repeats?: number | undefined;
  readonly progress?: ((text: string) => void) | undefined;
}

type Target = AutoregressiveModel<TokenSource>;

interface Way {
  readonly decoder: Decoder<Target>;
  readonly model: Target;
}

const BATCH = 32;

/**
 * Search strategies against greedy, interleaved sentence by sentence at batch 1; the token tree against a cache that copies
 * rows; and batches of 32 against one sentence at a time.
 */
export async function searchBench(
  bench: BenchModel,
  testSet: TestSet,
  { repeats = 3, progress }: SearchBenchOptions = {},
): Promise<Record<string, unknown>> {
  const { loaded, autoregressive: model } = bench;
  const began = performance.now();
  const sources = testSet.sources.map((text) => loaded.tokenizer.encode(text));
  const copying = await openCopyingModel(bench);
  try {
    const beam = (options: BeamSearchOptions): Way => ({ decoder: beamSearch(options), model });
    const ways: Record<string, Way> = {
      greedy: { decoder: greedy(), model },
      sampling: { decoder: sampling({ topK: 10 }), model },
      samplingWholeVocabulary: { decoder: sampling({ topP: 0.9 }), model },
      beam4: beam({ beamSize: 4 }),
      beam4Copying: { decoder: beamSearch({ beamSize: 4 }), model: copying.model },
      beam4UntilFull: beam({ beamSize: 4, stopWhen: 'full' }),
      beam4WithRules: beam({ beamSize: 4, noRepeatNgramSize: 3 }),
      diverse4: beam({ beamSize: 4, groups: 2 }),
      beam8: beam({ beamSize: 8 }),
      beam8Copying: { decoder: beamSearch({ beamSize: 8 }), model: copying.model },
    };
    const best = await raceWays(ways, sources, repeats, progress);
    const ratio = (name: string, to: string): number[] =>
      best[name].map(({ milliseconds }, row) => milliseconds / best[to][row].milliseconds);
    const median = (name: string, to: string): number => rounded(spread(ratio(name, to)).median, 3);
    const strategies = Object.fromEntries(
      Object.entries(best).map(([name, decoded]) => {
        const outputs = decoded.map(({ end }) => loaded.tokenizer.decode(outputOf(end)));
        const sum = (key: 'forwards' | 'tokens'): number =>
          decoded.reduce((total, { end }) => total + end.statistics[key], 0);
        return [
          name,
          {
            bleu: rounded(corpusBleu(outputs, [testSet.references]).score, 2),
            millisecondsPerSentence: rounded(spread(decoded.map(({ milliseconds }) => milliseconds)).median, 3),
            forwardsPerSentence: rounded(sum('forwards') / sources.length, 2),
            tokensPerSentence: rounded(sum('tokens') / sources.length, 2),
            timesGreedy: roundedSpread(spread(ratio(name, 'greedy'))),
          },
        ];
      }),
    );
    progress?.('batches');
    return {
      bench: 'search',
      testSet: testSet.name,
      sentences: sources.length,
      repeats,
      precision: 'float32',
      threads: loaded.threads,
      machine: machineReport(),
      beam4OverGreedy: median('beam4', 'greedy'),
      beam8OverGreedy: median('beam8', 'greedy'),
      treeVsCopy: {
        beam4: median('beam4Copying', 'beam4'),
        beam8: median('beam8Copying', 'beam8'),
        sameOutputs: ['beam4', 'beam8'].every((name) =>
          best[name].every(({ end }, row) => sameTokens(outputOf(end), outputOf(best[`${name}Copying`][row].end))),
        ),
      },
      batches: {
        greedy: await batches({ decoder: greedy(), model }, sources),
        beam4: await batches({ decoder: beamSearch({ beamSize: 4 }), model }, sources),
        sampling: await batches({ decoder: sampling({ topK: 10 }), model }, sources),
      },
      strategies,
      seconds: rounded((performance.now() - began) / 1000, 1),
    };
  } finally {
    await copying.dispose();
  }
}

interface Decoded {
  readonly milliseconds: number;
  readonly end: DecodeEndEvent;
}

const outputOf = (end: DecodeEndEvent): Int32Array => end.results[0]?.hypotheses[0]?.tokenIds;

async function decoded({ decoder, model }: Way, sources: readonly TokenSource[]): Promise<Decoded> {
  const began = performance.now();
  const end = await collect(decoder.decode(model, { sources, seed: 1 }));
  return { milliseconds: performance.now() - began, end };
}

/** Decodes every sentence every way in turn; the fastest of the repeats by way and sentence. */
async function raceWays(
  ways: Readonly<Record<string, Way>>,
  sources: readonly TokenSource[],
  repeats: number,
  progress: SearchBenchOptions['progress'],
): Promise<Record<string, Decoded[]>> {
  const names = Object.keys(ways);
  for (const source of sources.slice(0, 20)) for (const name of names) await decoded(ways[name], [source]);
  const best: Record<string, Decoded[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (const [row, source] of sources.entries()) {
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (const name of names) {
        const now = await decoded(ways[name], [source]);
        const list = best[name];
        if (list[row] === undefined || now.milliseconds < list[row].milliseconds) list[row] = now;
      }
    }
    if (row % 50 === 49) progress?.(`${row + 1} of ${sources.length} sentences`);
  }
  return best;
}

/** Batches of 32 in the order of the test set against the same sentences one by one, interleaved batch by batch. */
async function batches(way: Way, sources: readonly TokenSource[]): Promise<Record<string, unknown>> {
  const ratios: number[] = [];
  let same = 0;
  let count = 0;
  for (let begin = 0; begin + BATCH <= sources.length; begin += BATCH) {
    const group = sources.slice(begin, begin + BATCH);
    const together = await decoded(way, group);
    const again = await decoded(way, group);
    let alone = 0;
    for (const [row, source] of group.entries()) {
      const one = await decoded(way, [source]);
      alone += one.milliseconds;
      count++;
      const tokenIds = together.end.results[row]?.hypotheses[0]?.tokenIds;
      if (sameTokens(outputOf(one.end), tokenIds)) same++;
    }
    ratios.push(alone / Math.min(together.milliseconds, again.milliseconds));
  }
  if (count === 0) {
    throw new ForetokenError('INVALID_ARGUMENT', `The bench needs at least ${BATCH} sentences for its batches.`, {
      option: 'limit',
      min: BATCH,
    });
  }
  return { sentences: count, batch: BATCH, timesFaster: roundedSpread(spread(ratios)), identical: same / count };
}

async function openCopyingModel({ loaded, runtime, autoregressive }: BenchModel) {
  const folder = await openModelFolder(loaded.folder);
  const manifest = stepManifest(folder);
  const { threads } = loaded;
  const open = async (file: string) =>
    GraphSession.create(runtime, await readGraph(folder, file), { threads }, new RuntimeTimings());
  const topK = manifest.graphs.step.topK;
  if (topK === undefined) {
    throw new ForetokenError('UNSUPPORTED_CAPABILITY', 'The search bench needs a step graph with a top-k head.', {
      capability: 'topK',
    });
  }
  const [encoder, step] = [await open(manifest.graphs.encoder), await open(topK)];
  const model = copyingModel({
    model: autoregressive,
    runtime,
    encoder,
    step,
    layers: manifest.architecture.decoderLayers,
    width: manifest.architecture.width,
    startTokenId: manifest.vocabulary.startTokenId,
  });
  return {
    model,
    dispose: async () => {
      await encoder.dispose();
      await step.dispose();
    },
  };
}
