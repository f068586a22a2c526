import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { importModel } from '@foretoken/importers';
import { loadModel } from '@foretoken/models';
import { medianOf, ownEngine, peerEngine, type TimedDecode, type TimedEngine } from './timed-engines.js';

interface Prompt {
  readonly tokenIds: readonly number[];
}

export interface SpeedOptions {
  /** The GGUF file. */
  readonly file: string;
  /** Its import in fp32. */
  readonly float32: string;
  readonly prompts: readonly Prompt[];
  readonly progress: (text: string) => void;
}

export interface SpeedFigures {
  readonly speedOverOracle?: number | undefined;
  /** Figures by precision and threads, or why there are none. */
  readonly speed: unknown;
  /** What the one figure is of. */
  readonly speedOver?: string | undefined;
}

const NEW_TOKENS = 64;
const WARM_TOKENS = 4;
/** Which prompts are timed, conversations and texts. */
const TIMED = [0, 3, 11];
const THREADS = [1, 2];

/** What the peers read of the folder that FORETOKEN_PEERS names, written by `make_smollm2_peers.py`. */
const PRECISIONS = [
  { precision: 'fp32', weights: 'float32', dtype: 'fp32', gguf: () => 'smollm2/smollm2-f32.gguf' },
  { precision: '4 bits', weights: 'int4', dtype: 'q4', gguf: (file: string) => file },
] as const;

/** Tokens a second against transformers.js and llama.cpp, prompts by turns, in each precision and with one thread and two. */
export async function measureSmolLm2Speed(options: SpeedOptions): Promise<SpeedFigures> {
  const peers = process.env.FORETOKEN_PEERS;
  if (peers === undefined || peers === '') {
    return { speed: 'not measured: FORETOKEN_PEERS names no folder that data/models/make_smollm2_peers.py wrote' };
  }
  const speed: Record<string, unknown> = {};
  let overTransformers: number | undefined;
  for (const { precision, weights, dtype, gguf } of PRECISIONS) {
    const folder = weights === 'float32' ? options.float32 : `${options.float32}-${weights}`;
    if (!existsSync(folder)) await importModel(options.file, folder, { weights });
    for (const threads of THREADS) {
      const of = (runtime: string, model: string, type: string): TimedEngine =>
        peerEngine(runtime, [peers, runtime, model, type, String(threads)]);
      const engines = [
        ownEngine('foretoken', await loadModel(folder, { threads, probe: false })),
        of('transformers.js', 'smollm2', dtype),
        of('llama.cpp', gguf(options.file), '-'),
      ];
      try {
        const measured = await timeByTurns(engines, options);
        speed[`${precision}, ${threads === 1 ? 'one thread' : `${threads} threads`}`] = measured;
        overTransformers ??= measured['transformers.js']?.ownOverIt;
      } finally {
        for (const engine of engines) await engine.close();
      }
      options.progress(`smollm2: speed in ${precision}, threads: ${threads}`);
    }
    if (weights !== 'float32') await rm(folder, { recursive: true, force: true });
  }
  return { speedOverOracle: overTransformers, speed, speedOver: 'transformers.js, fp32, one thread, processor time' };
}

/** Of each engine tokens a second, by the clock and of processor time, and how much faster ours is, the median over prompts. */
async function timeByTurns(engines: readonly TimedEngine[], { prompts }: SpeedOptions) {
  const timed = new Map<string, TimedDecode[]>(engines.map(({ name }) => [name, []]));
  // The first of each is for warming up.
  for (const { decode } of engines) await decode(prompts[TIMED[0]].tokenIds, WARM_TOKENS);
  for (const at of TIMED) {
    for (const { name, decode } of engines) timed.get(name)?.push(await decode(prompts[at].tokenIds, NEW_TOKENS));
  }
  const own = timed.get('foretoken') ?? [];
  return Object.fromEntries(
    [...timed].map(([name, runs]) => {
      const each = (time: 'seconds' | 'processorSeconds', of: TimedDecode): number => of.tokenIds.length / of[time];
      const over = (time: 'seconds' | 'processorSeconds'): number =>
        medianOf(runs.map((run, at) => each(time, own[at]) / each(time, run)));
      const first = runs.map((run, at) => (String(run.tokenIds) === String(own[at].tokenIds) ? 1 : 0) as number);
      return [
        name,
        {
          tokensPerSecond: medianOf(runs.map((run) => each('seconds', run))),
          tokensPerProcessorSecond: medianOf(runs.map((run) => each('processorSeconds', run))),
          ownOverIt: over('processorSeconds'),
          ownOverItByClock: over('seconds'),
          sameTokens: first.reduce((sum, one) => sum + one, 0) / runs.length,
        },
      ];
    }),
  );
}
