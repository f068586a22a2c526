import { beamSearch } from '@foretoken/beam';
import { collect } from '@foretoken/core';
import { greedy, sampling } from '@foretoken/greedy';
import { importModel } from '@foretoken/importers';
import { type LoadedModel, type LoadOptions, loadModel } from '@foretoken/models';
import { writeWeightsFolder } from '../opus/write-weights-folder.js';
import { spread } from '../statistics.js';

/** What a fresh process measures of one folder; `target` is where imports are written, or the folder that `race` compares with. */
const LOAD_TASKS = [
  'plain',
  'probed',
  'autoregressive',
  'all',
  'weights',
  'import',
  'import-int8',
  'use',
  'race',
] as const;
export type LoadTask = (typeof LOAD_TASKS)[number];

const OPENED: Partial<Record<LoadTask, LoadOptions>> = {
  plain: { probe: false },
  probed: {},
  autoregressive: { probe: false, open: ['autoregressive'] },
};

const megabytes = (bytes: number): number => bytes / 1e6;

/** Does one task in this process, which does nothing else; figures by name. */
export async function runLoadTask(task: LoadTask, folder: string, target = ''): Promise<Record<string, number>> {
  switch (task) {
    case 'weights':
      return { bytes: await writeWeightsFolder(folder) };
    case 'import':
    case 'import-int8': {
      await importModel(folder, target, task === 'import' ? {} : { weights: 'int8' });
      const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
      // maxRSS is in kilobytes.
      return { cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMegabytes: megabytes(maxRSS * 1024) };
    }
    case 'use': {
      const before = process.memoryUsage.rss();
      const model = await loadModel(folder, { probe: false });
      for (const decoder of [greedy(), beamSearch(), sampling()]) {
        await model.decode('bade bi', decoder, { maxNewTokens: 16 });
      }
      const used = process.memoryUsage.rss() - before;
      await model.dispose();
      return { usedMegabytes: megabytes(used) };
    }
    case 'race':
      return { speed: await race(folder, target) };
    default: {
      const began = performance.now();
      const model = await loadModel(folder, OPENED[task] ?? (await everyPart(folder)));
      const seconds = (performance.now() - began) / 1000;
      await model.dispose();
      return { seconds };
    }
  }
}

/** Opens every graph's part at load. */
async function everyPart(folder: string): Promise<LoadOptions> {
  const { familyOf, openModelFolder } = await import('@foretoken/models');
  const { manifest } = await openModelFolder(folder);
  const { parts } = (await familyOf(manifest)).describe(manifest);
  return { probe: false, open: [...new Set(parts.map(({ kind }) => kind))] };
}

const RACES = 7;
const NEW_TOKENS = 64;

/** How many times as fast as `baseline` greedy decoding is on `folder`, a token: the median of races on one thread, taken by turns. */
async function race(folder: string, baseline: string): Promise<number> {
  await using ours = await loadModel(folder, { probe: false, threads: 1 });
  await using theirs = await loadModel(baseline, { probe: false, threads: 1 });
  await millisecondsPerToken(ours);
  await millisecondsPerToken(theirs);
  const ratios: number[] = [];
  for (let turn = 0; turn < RACES; turn++) {
    const before = await millisecondsPerToken(theirs);
    const own = await millisecondsPerToken(ours);
    const after = await millisecondsPerToken(theirs);
    ratios.push((before + after) / 2 / own);
  }
  return spread(ratios).median;
}

async function millisecondsPerToken(model: LoadedModel): Promise<number> {
  const request = { sources: [model.tokenizer.encode('bade bi')], maxNewTokens: NEW_TOKENS };
  const began = performance.now();
  const { results } = await collect(greedy().decode(model.part('autoregressive'), request));
  return (performance.now() - began) / results[0].best.tokenIds.length;
}
