import { rm } from 'node:fs/promises';
import { collect, type TokenSource } from '@foretoken/core';
import { openSessions } from '@foretoken/core/runtime';
import { greedy } from '@foretoken/greedy';
import { ctcGreedy, dagGreedy } from '@foretoken/one-shot';
import { maskPredict } from '@foretoken/refine';
import * as onnxruntime from 'onnxruntime-node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LoadOptions, loadModel } from '../src/index.js';
import { codeOf, hintsFolder, SOURCES, weightsOf } from './student-fixtures.js';

let folder: string;
let before: number;
beforeAll(async () => {
  folder = await hintsFolder({ ctcFast: await weightsOf('ctc-fast') });
  before = openSessions();
});
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => expect(openSessions()).toBe(before));

const opened = (): number => openSessions() - before;

/** onnxruntime-node, with a word before each graph is opened. */
function watchedRuntime(opening: (count: number) => unknown): NonNullable<LoadOptions['runtime']> {
  let count = 0;
  const create = async (...args: Parameters<typeof onnxruntime.InferenceSession.create>) => {
    await opening(++count);
    return onnxruntime.InferenceSession.create(...args);
  };
  return { Tensor: onnxruntime.Tensor, InferenceSession: { create } } as unknown as NonNullable<LoadOptions['runtime']>;
}

const emitted = async (model: Awaited<ReturnType<typeof loadModel>>) => model.part('lattice').emit(SOURCES);

describe('graphs of a folder', () => {
  it('are opened for the autoregressive part at load, and for others when they are first used', async () => {
    await using model = await loadModel(folder, { probe: false });
    expect(opened()).toBe(2);
    // Naming a part opens nothing.
    for (const variant of ['exact', 'draft', 'fast']) model.part('lattice', { lattice: 'ctc', variant });
    for (const kind of ['canvas', 'edit'] as const) model.part(kind);
    model.speculation();
    expect(opened()).toBe(2);
    await collect(greedy().decode(model.part('autoregressive'), { sources: SOURCES, maxNewTokens: 3 }));
    expect(opened()).toBe(2);
    await collect(ctcGreedy().decode(model.part('lattice'), { sources: SOURCES }));
    expect(opened()).toBe(3);
    await collect(ctcGreedy().decode(model.part('lattice', { variant: 'fast' }), { sources: SOURCES }));
    expect(opened()).toBe(4);
    await collect(dagGreedy().decode(model.part('lattice', { lattice: 'dag' }), { sources: SOURCES }));
    expect(opened()).toBe(5);
    await collect(maskPredict({ iterations: 2 }).decode(model.part('canvas'), { sources: SOURCES }));
    expect(opened()).toBe(7);
  });

  it('are opened at load where that is asked for, and only those', async () => {
    for (const [open, count] of [
      [[], 0],
      [['autoregressive'], 2],
      // Encoder, and CTC, drafting, fast and DAG graphs.
      [['lattice'], 5],
      [['lattice', 'lattice'], 5],
      [['languageModel'], undefined],
    ] as const) {
      if (count === undefined) {
        expect(await codeOf(() => loadModel(folder, { probe: false, open }))).toBe('UNSUPPORTED_CAPABILITY');
        continue;
      }
      await using _model = await loadModel(folder, { probe: false, open });
      expect(opened()).toBe(count);
    }
    for (const open of ['lattice', ['lattices'], [3], null]) {
      expect(await codeOf(() => loadModel(folder, { probe: false, open: open as never }))).toBe('INVALID_ARGUMENT');
    }
  });

  it('are opened once, however many first uses come at the same time', async () => {
    let created = 0;
    const runtime = watchedRuntime((count) => {
      created = count;
    });
    await using model = await loadModel(folder, { probe: false, runtime, open: [] });
    const [first, ...others] = await Promise.all(Array.from({ length: 5 }, () => emitted(model)));
    expect(created).toBe(2);
    for (const other of others) expect(other).toEqual(first);
  });

  it('are opened anew after an opening failed, which is a typed error for all who waited', async () => {
    const runtime = watchedRuntime((count) => {
      if (count === 2) throw new Error('no memory');
    });
    await using model = await loadModel(folder, { probe: false, runtime, open: [] });
    const failed = await Promise.all([1, 2, 3].map(() => codeOf(() => emitted(model))));
    expect(failed).toEqual(['RUNTIME_FAILURE', 'RUNTIME_FAILURE', 'RUNTIME_FAILURE']);
    expect(await codeOf(() => emitted(model))).toBe('no error');
  });

  it('are released by a dispose that comes while one is being opened', async () => {
    let reached: () => void = () => {};
    const reaching = new Promise<void>((resolve) => {
      reached = resolve;
    });
    let go: () => void = () => {};
    const going = new Promise<void>((resolve) => {
      go = resolve;
    });
    const runtime = watchedRuntime(async (count) => {
      if (count !== 2) return;
      reached();
      await going;
    });
    const model = await loadModel(folder, { probe: false, runtime, open: [] });
    const emitting = codeOf(() => emitted(model));
    await reaching;
    const disposing = model.dispose();
    go();
    await disposing;
    expect(await emitting).toBe('DISPOSED');
    expect(opened()).toBe(0);
    expect(await codeOf(() => emitted(model))).toBe('DISPOSED');
    const sources: readonly TokenSource[] = SOURCES;
    const decode = () => collect(greedy().decode(model.part('autoregressive'), { sources }));
    expect(await codeOf(decode)).toBe('DISPOSED');
  });
});
