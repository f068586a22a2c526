import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LoadTask } from './load/load-child.js';
import { machineReport } from './machine.js';
import { rounded, spread } from './statistics.js';

export interface LoadBenchOptions {
  readonly repeats?: number | undefined;
  readonly progress?: ((text: string) => void) | undefined;
}

type Figures = Readonly<Record<string, number>>;

/** Runs one task in a fresh process. */
async function inChild(task: LoadTask, ...folders: readonly string[]): Promise<Figures> {
  const [main = ''] = process.argv.slice(1);
  const { stdout } = await promisify(execFile)(process.execPath, [main, 'load-task', task, ...folders]);
  return JSON.parse(stdout) as Figures;
}

/**
 * What loading costs, each measurement in a fresh process: the folder as `loadModel` opens it, with the probe, its autoregressive
 * part alone, and with all graphs opened; and a Marian of OPUS-MT size with made-up weights: import, load, memory in use, and the
 * speed and the memory of its weights in 8 bits.
 */
export async function loadBench(
  folder: string,
  { repeats = 5, progress = () => {} }: LoadBenchOptions = {},
): Promise<Record<string, unknown>> {
  const secondsOf = async (task: LoadTask, of: string, times = repeats): Promise<number> => {
    const seconds: number[] = [];
    for (let repeat = 0; repeat < times; repeat++) seconds.push((await inChild(task, of)).seconds ?? Number.NaN);
    progress(`${task}: measured`);
    return rounded(spread(seconds).median, 3);
  };
  return {
    bench: 'load',
    repeats,
    machine: machineReport(),
    seconds: await secondsOf('plain', folder),
    secondsProbed: await secondsOf('probed', folder),
    secondsAutoregressive: await secondsOf('autoregressive', folder),
    secondsAllOpened: await secondsOf('all', folder),
    opus: await opusFigures(progress, (of) => secondsOf('probed', of, Math.min(3, repeats))),
  };
}

async function opusFigures(
  progress: (text: string) => void,
  probed: (folder: string) => Promise<number>,
): Promise<Record<string, number>> {
  const parent = await mkdtemp(join(tmpdir(), 'foretoken-load-'));
  const [weights, target, int8] = ['weights', 'model', 'int8'].map((name) => join(parent, name));
  try {
    const { bytes = Number.NaN } = await inChild('weights', weights);
    progress('opus: weights made');
    const { cpuSeconds = Number.NaN, peakMegabytes = Number.NaN } = await inChild('import', weights, target);
    progress('opus: imported');
    const secondsProbed = await probed(target);
    const { usedMegabytes = Number.NaN } = await inChild('use', target);
    await inChild('import-int8', weights, int8);
    const { usedMegabytes: usedInt8 = Number.NaN } = await inChild('use', int8);
    progress('opus: int8 imported and used');
    const { speed = Number.NaN } = await inChild('race', int8, target);
    return {
      importCpuSeconds: rounded(cpuSeconds, 2),
      // Peak memory of the process beyond the weights' size on disk.
      importGigabytesOver: rounded((peakMegabytes - bytes / 1e6) / 1000, 3),
      secondsProbed,
      // Memory after greedy, beam and sampling, over the weights in fp32.
      memoryOverWeights: rounded((usedMegabytes * 1e6) / bytes, 2),
      // Weights in 8 bits: memory after the same decodes over the weights in fp32; and against these, greedy's speed by turns on one
      // thread, and memory.
      int8MemoryOverWeights: rounded((usedInt8 * 1e6) / bytes, 2),
      int8SpeedOverFloat32: rounded(speed, 2),
      int8MemoryOverFloat32: rounded(usedInt8 / usedMegabytes, 2),
    };
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}
