import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { machineReport } from './machine.js';
import { rounded, roundedSpread, spread } from './statistics.js';

export interface LinesBenchOptions {
  /** Lines in all; those given are repeated. */
  readonly count?: number | undefined;
  readonly threads?: number | undefined;
  readonly model?: string | undefined;
  readonly progress?: ((text: string) => void) | undefined;
}

const BATCH_SIZE = 64;
/** Lines that one of the two decodes before it is the other's turn: ten batches. */
const TURN = 10 * BATCH_SIZE;
const SAMPLE_MS = 100;

// Runs in the command's process: tells its memory from time to time, and its processor time at the end.
const OBSERVER = `data:text/javascript,
import { writeSync } from 'node:fs';
const tell = (figures) => writeSync(3, JSON.stringify(figures) + '\\n');
setInterval(() => tell({ rss: process.memoryUsage.rss() }), ${SAMPLE_MS}).unref();
process.on('exit', () => { const { userCPUTime, systemCPUTime } = process.resourceUsage(); tell({ cpu: userCPUTime + systemCPUTime }); });
`;

/**
 * The command that decodes a file, line by line and in batches: two processes that take turns on the same lines, so that both see
 * the same machine. Also what memory the one with batches holds after a tenth of the lines, and after all of them.
 */
export async function linesBench(
  sources: readonly string[],
  { count = 10_000, threads, model, progress = () => {} }: LinesBenchOptions = {},
): Promise<Record<string, unknown>> {
  const lines = Array.from({ length: count }, (_, index) => sources[index % sources.length]);
  const more = [
    threads === undefined ? [] : ['--threads', String(threads)],
    model === undefined ? [] : ['--model', model],
  ];
  const single = new Command(1, more.flat());
  const batched = new Command(BATCH_SIZE, more.flat());
  try {
    // The first lines load the models and warm up; the slower one begins.
    for (const command of [single, batched]) await command.decode(lines.slice(0, BATCH_SIZE));
    const start = [single.milliseconds, batched.milliseconds];
    const ratios: number[] = [];
    let identical = 0;
    for (let from = 0, turn = 0; from < lines.length; from += TURN, turn++) {
      const part = lines.slice(from, from + TURN);
      // Where the batches do not come out even, lines are added that do not count.
      const filled = [...part, ...lines.slice(0, (BATCH_SIZE - (part.length % BATCH_SIZE)) % BATCH_SIZE)];
      const order = turn % 2 === 0 ? [single, batched] : [batched, single];
      const took = new Map<Command, Turn>();
      for (const command of order) took.set(command, await command.decode(command === single ? part : filled));
      const [slow, quick] = [took.get(single)!, took.get(batched)!];
      ratios.push((slow.milliseconds / quick.milliseconds) * (filled.length / part.length));
      identical += part.filter((_, index) => slow.outputs[index] === quick.outputs[index]).length;
      progress(`${Math.min(lines.length, from + TURN)} of ${lines.length} lines`);
    }
    const [slow, quick] = [await single.end(), await batched.end()];
    return {
      bench: 'lines',
      machine: machineReport(),
      lines: lines.length,
      batchSize: BATCH_SIZE,
      // Time line by line over time in batches, turn by turn; then of everything, the start of the processes included.
      speedup: roundedSpread(spread(ratios)),
      speedupWithStart: rounded(slow.milliseconds / quick.milliseconds, 3),
      speedupOfCpuTime: rounded(slow.cpuSeconds / quick.cpuSeconds, 3),
      linesPerSecond: {
        lineByLine: rounded((1000 * lines.length) / (slow.milliseconds - start[0]), 1),
        batches: rounded((1000 * lines.length) / (quick.milliseconds - start[1]), 1),
      },
      identical: identical / lines.length,
      residentMegabytes: memoryAfter(quick.memory, [Math.ceil(lines.length / 10), lines.length]),
    };
  } finally {
    single.kill();
    batched.kill();
  }
}

interface Turn {
  readonly milliseconds: number;
  readonly outputs: readonly string[];
}

/** A process of `foretoken decode` that is given lines and waited for. */
class Command {
  readonly #child: ChildProcess;
  readonly #outputs: AsyncIterator<string>;
  readonly #memory: MemorySample[] = [];
  #answered = 0;
  #cpuSeconds = Number.NaN;
  /** From the start of the process on, while it was its turn. */
  milliseconds = 0;

  constructor(batchSize: number, more: readonly string[]) {
    const main = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));
    const argv = ['--import', OBSERVER, main, 'decode', '--file', '-', '--batch-size', String(batchSize), ...more];
    this.#child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit', 'pipe'] });
    this.#outputs = createInterface({ input: this.#child.stdout as Readable })[Symbol.asyncIterator]();
    createInterface({ input: this.#child.stdio[3] as Readable }).on('line', (line) => {
      const { rss, cpu } = JSON.parse(line) as { readonly rss?: number | undefined; readonly cpu?: number | undefined };
      if (rss !== undefined) this.#memory.push({ lines: this.#answered, bytes: rss });
      if (cpu !== undefined) this.#cpuSeconds = cpu / 1e6;
    });
  }

  async decode(lines: readonly string[]): Promise<Turn> {
    const began = performance.now();
    this.#input.write(lines.map((line) => `${line}\n`).join(''));
    const outputs: string[] = [];
    while (outputs.length < lines.length) {
      const { value, done } = await this.#outputs.next();
      if (done === true) throw new Error(`foretoken decode ended after ${outputs.length} of ${lines.length} lines.`);
      outputs.push(value);
      this.#answered++;
    }
    const milliseconds = performance.now() - began;
    this.milliseconds += milliseconds;
    return { milliseconds, outputs };
  }

  async end(): Promise<{
    readonly milliseconds: number;
    readonly cpuSeconds: number;
    readonly memory: readonly MemorySample[];
  }> {
    const closed = once(this.#child, 'close');
    this.#input.end();
    await closed;
    return { milliseconds: this.milliseconds, cpuSeconds: this.#cpuSeconds, memory: this.#memory };
  }

  kill(): void {
    this.#child.kill();
  }

  get #input(): Writable {
    return this.#child.stdin as Writable;
  }
}

/** Resident memory of a process when it had answered so many lines. */
export interface MemorySample {
  readonly lines: number;
  readonly bytes: number;
}

/** What was resident after so many lines, the most until then, and how far that grew from the first count to the last. */
export function memoryAfter(
  samples: readonly MemorySample[],
  counts: readonly number[],
): Record<'lines' | 'after' | 'peak', readonly number[]> & { readonly ratio: number; readonly peakRatio: number } {
  const until = counts.map((count) => samples.filter(({ lines }) => lines <= count).map(({ bytes }) => bytes / 1e6));
  const after = until.map((megabytes) => megabytes.at(-1) ?? Number.NaN);
  const peak = until.map((megabytes) => Math.max(...megabytes));
  return {
    lines: counts,
    after: after.map((one) => rounded(one, 1)),
    peak: peak.map((one) => rounded(one, 1)),
    ratio: rounded(after[after.length - 1] / after[0], 3),
    peakRatio: rounded(peak[peak.length - 1] / peak[0], 3),
  };
}
