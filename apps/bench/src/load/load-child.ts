import { beamSearch } from '@foretoken/beam';
import { greedy, sampling } from '@foretoken/greedy';
import { importModel } from '@foretoken/importers';
import { type LoadOptions, loadModel } from '@foretoken/models';
import { writeWeightsFolder } from '../opus/write-weights-folder.js';

/** What a fresh process measures of one folder; `target` is where `import` writes. */
const LOAD_TASKS = ['plain', 'probed', 'autoregressive', 'all', 'weights', 'import', 'use'] as const;
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
    case 'import': {
      await importModel(folder, target);
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
