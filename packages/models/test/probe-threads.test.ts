import * as onnxruntime from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { GraphSessions } from '../src/drivers/graph-sessions.js';
import { ProbeBudget, type WidthCosts } from '../src/drivers/probe.js';
import { probeThreads, probeWidths } from '../src/drivers/reading-step-probe.js';

/** Costs by width relative to one node. */
function relativeCosts({ curve }: WidthCosts): readonly number[] {
  return curve.map((cost) => Math.min(cost / curve[0], Number.MAX_VALUE));
}

const SHAPE = { width: 8, layers: 1 };

interface Machine {
  /** Milliseconds of opening a graph, and of a forward by threads and width. */
  readonly opening: number;
  readonly forward: (threads: number, width: number) => number;
  readonly onRun?: (runs: number) => void;
}

/** Sessions of a graph on a machine whose every cost is known, by a clock that only they move. */
function sessionsOn({ opening, forward, onRun }: Machine) {
  let now = 0;
  let runs = 0;
  const opened: number[] = [];
  const disposed: number[] = [];
  const open = async (threads: number) => {
    now += opening;
    opened.push(threads);
    return {
      run: async (feeds: Readonly<Record<string, { readonly dims: readonly number[] }>>) => {
        onRun?.(++runs);
        now += forward(threads, feeds.token_ids?.dims[1]);
      },
      dispose: async () => void disposed.push(threads),
    };
  };
  let own: ReturnType<typeof open> | undefined;
  const sessions = {
    runtime: onnxruntime,
    threads: 7,
    get() {
      own ??= open(this.threads);
      return own;
    },
    openApart: (_file: string, threads: number) => open(threads),
  };
  return { sessions: sessions as unknown as GraphSessions, clock: () => now, opened, disposed };
}

const choose = async (machine: Machine, cores: number, signal?: AbortSignal) => {
  const { sessions, clock, opened, disposed } = sessionsOn(machine);
  const budget = new ProbeBudget(100, clock);
  const threads = await probeThreads(sessions, 'step.onnx', SHAPE, cores, budget, signal);
  // The graph opened with one thread is the model's own.
  expect(opened[0]).toBe(1);
  expect(disposed).toEqual(opened.slice(1));
  return { threads, opened, spent: budget.spent };
};

describe('probeThreads', () => {
  it('compares one thread with 2, 4 and 8, up to the cores there are', async () => {
    const machine = { opening: 1, forward: (threads: number) => 0.4 / threads };
    expect(await choose(machine, 1)).toMatchObject({ threads: 1, opened: [1] });
    expect(await choose(machine, 2)).toMatchObject({ threads: 2, opened: [1, 2] });
    expect(await choose(machine, 3)).toMatchObject({ threads: 3, opened: [1, 2, 3] });
    expect(await choose(machine, 64)).toMatchObject({ threads: 8, opened: [1, 2, 4, 8] });
  });

  it('keeps one thread where more are slower, as fast, or faster by little', async () => {
    for (const gain of [0.3, 1, 1.5]) {
      const machine = { opening: 1, forward: (threads: number) => (threads === 1 ? 0.4 : 0.4 / gain) };
      expect(await choose(machine, 64)).toMatchObject({ threads: 1 });
    }
    const bestOfFour = { opening: 1, forward: (threads: number) => ({ 1: 0.4, 2: 0.2, 4: 0.1 })[threads] ?? 3 };
    expect(await choose(bestOfFour, 8)).toMatchObject({ threads: 4 });
  });

  it('does not open what opens too slowly, and then keeps one thread', async () => {
    const slow = { opening: 700, forward: (threads: number) => 24 / threads };
    expect(await choose(slow, 64)).toEqual({ threads: 1, opened: [1], spent: 0 });
    // One more fits, and no forwards after it.
    const half = { opening: 60, forward: (threads: number) => 24 / threads };
    expect(await choose(half, 64)).toMatchObject({ threads: 1, opened: [1, 2] });
  });

  it('releases what it opened where a forward fails or the signal aborts, and passes the reason on', async () => {
    for (const at of [1, 2, 5, 30]) {
      const controller = new AbortController();
      const machine: Machine = {
        opening: 1,
        forward: () => 0.1,
        onRun: (runs) => {
          if (runs === at) controller.abort(new Error('enough'));
        },
      };
      const { sessions, clock, opened, disposed } = sessionsOn(machine);
      const budget = new ProbeBudget(100, clock);
      const probing = probeThreads(sessions, 'step.onnx', SHAPE, 8, budget, controller.signal);
      await expect(probing).rejects.toThrow('enough');
      expect(disposed).toEqual(opened.slice(1));
    }
  });
});

describe('a graph that cannot be released', () => {
  it('keeps no other from being released', async () => {
    const { sessions, clock, disposed } = sessionsOn({ opening: 1, forward: () => 0.1 });
    const openApart = async (file: string, threads: number) => {
      const session = await sessions.openApart(file, threads);
      const refuse = async (): Promise<void> => {
        throw new Error('stuck');
      };
      return threads === 2 ? { run: session.run.bind(session), dispose: refuse } : session;
    };
    const stuck = { runtime: sessions.runtime, threads: 1, get: sessions.get.bind(sessions), openApart };
    const budget = new ProbeBudget(100, clock);
    const probing = probeThreads(stuck as unknown as GraphSessions, 'step.onnx', SHAPE, 8, budget, undefined);
    await expect(probing).rejects.toThrow('stuck');
    expect(disposed).toEqual([4, 8]);
  });
});

describe('probeWidths', () => {
  it('measures the forwards that decoding runs, at any size of the model within its budget', async () => {
    for (const scale of [0.01, 1, 20]) {
      const machine = { opening: 1, forward: (_threads: number, width: number) => scale * (1 + width / 16) };
      const { sessions, clock } = sessionsOn(machine);
      const session = await sessions.get('step.onnx');
      const budget = new ProbeBudget(200, clock);
      const costs = await probeWidths(sessions, session, SHAPE, budget, undefined);
      expect(relativeCosts(costs)).toHaveLength(16);
      for (const [index, cost] of relativeCosts(costs).entries()) {
        // A lone node runs as two do. Where time is short, widths in between lie on a line between the ends.
        const off = Math.abs(cost - (16 + Math.max(2, index + 1)) / 18);
        expect(off).toBeLessThan(scale === 20 ? 1 / 18 : 1e-6);
      }
      expect(budget.spent).toBeLessThanOrEqual(200);
    }
  });
});
