import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSessions } from '@foretoken/core/runtime';
import { importModel } from '@foretoken/importers';
import * as onnxruntime from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadedModel, type LoadOptions, loadModel } from '../src/index.js';
import { writeTinyCtc, writeTinyMarian } from './tiny-marian.js';

const PARTS = ['autoregressive', 'lattice'] as const;

let target: string;
let folders: string[] = [];

beforeAll(async () => {
  target = join(await mkdtemp(join(tmpdir(), 'foretoken-load-signal-')), 'model');
  const weights = await writeTinyMarian();
  const ctc = await writeTinyCtc();
  await importModel(weights, target, { weights: 'float32', ctc });
  folders = [weights, ctc, join(target, '..')];
});

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** A signal that aborts by itself when it is looked at for the `n`-th time. */
function abortingAt(n: number, reason: unknown) {
  const controller = new AbortController();
  let looks = 0;
  const signal = new Proxy(controller.signal, {
    get(inner, key) {
      if (key === 'throwIfAborted' || key === 'aborted') {
        looks++;
        if (looks === n) controller.abort(reason);
      }
      const value: unknown = Reflect.get(inner, key, inner);
      return typeof value === 'function' ? value.bind(inner) : value;
    },
  });
  return { signal, looks: () => looks };
}

/** onnxruntime-node, with a word before each session is opened. */
function watchedRuntime(opening: (count: number) => void): NonNullable<LoadOptions['runtime']> {
  let count = 0;
  return {
    Tensor: onnxruntime.Tensor,
    InferenceSession: {
      create: (...args: Parameters<typeof onnxruntime.InferenceSession.create>) => {
        opening(++count);
        return onnxruntime.InferenceSession.create(...args);
      },
    },
  } as unknown as NonNullable<LoadOptions['runtime']>;
}

async function outcomeOf(loading: Promise<LoadedModel>): Promise<unknown> {
  try {
    await (await loading)[Symbol.asyncDispose]();
    return 'loaded';
  } catch (error) {
    return error;
  }
}

describe('loadModel looks at its signal', () => {
  for (const probe of [false, true]) {
    it(`wherever an abort falls, ${probe ? 'with' : 'without'} the probe, it throws the reason and leaves no session open`, async () => {
      const counting = abortingAt(Number.POSITIVE_INFINITY, undefined);
      const load = (signal: AbortSignal) => loadModel(target, { probe, threads: 1, open: PARTS, signal });
      expect(await outcomeOf(load(counting.signal))).toBe('loaded');
      // Folder, files, graphs, sessions, students: many steps.
      expect(counting.looks()).toBeGreaterThan(20);
      const before = openSessions();
      const last = probe ? 40 : counting.looks();
      for (let n = 1; n <= last; n++) {
        const reason = new Error(`abort ${n}`);
        const { signal } = abortingAt(n, reason);
        expect(await outcomeOf(load(signal))).toBe(reason);
        expect(openSessions()).toBe(before);
      }
    });
  }

  it('opens no further session after an abort', async () => {
    for (const at of [1, 2, 3]) {
      const controller = new AbortController();
      let opened = 0;
      const runtime = watchedRuntime((count) => {
        opened = count;
        if (count === at) controller.abort(new Error('enough'));
      });
      const before = openSessions();
      const options = { probe: false, runtime, signal: controller.signal };
      const loading = loadModel(target, { ...options, open: PARTS });
      expect(await outcomeOf(loading)).toMatchObject({ message: 'enough' });
      expect(opened).toBe(at);
      expect(openSessions()).toBe(before);
    }
  });

  it('measures no further after an abort', async () => {
    const controller = new AbortController();
    const loading = loadModel(target, {
      runtime: watchedRuntime((count) => {
        if (count === 1) setImmediate(() => setImmediate(() => controller.abort(new Error('enough'))));
      }),
      signal: controller.signal,
    });
    expect(await outcomeOf(loading)).toMatchObject({ message: 'enough' });
  });
});

describe('a loaded model', () => {
  it('no longer looks at the signal it was loaded with, also where it opens a graph later', async () => {
    const controller = new AbortController();
    const model = await loadModel(target, { probe: false, signal: controller.signal });
    controller.abort(new Error('too late'));
    const sources = [Int32Array.of(5, 6, 2)];
    const forest = await model.part('autoregressive').open(sources);
    // The graph of this output was not needed before.
    const nodes = { row: new Int32Array(1), parent: Int32Array.of(-1), tokenId: Int32Array.of(22) };
    const extension = await forest?.extend(nodes, { kind: 'logProbs' });
    expect(extension?.logProbs.length).toBe(23);
    await forest?.[Symbol.asyncDispose]();
    await model[Symbol.asyncDispose]();
  });
});

describe('a model that fails to load', () => {
  it('tells what failed first, and leaves no session open', async () => {
    for (const at of [1, 2, 3]) {
      const before = openSessions();
      const runtime = watchedRuntime((count) => {
        if (count === at) throw new Error('no memory');
      });
      const failure = await outcomeOf(loadModel(target, { probe: false, runtime, open: PARTS }));
      expect(failure).toMatchObject({ code: 'RUNTIME_FAILURE', message: expect.stringContaining('no memory') });
      expect(openSessions()).toBe(before);
    }
  });
});
