import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collect, ForetokenError } from '@foretoken/core';
import { type OnnxRuntime, openSessions } from '@foretoken/core/runtime';
import { greedy } from '@foretoken/greedy';
import { importModel } from '@foretoken/importers';
import * as onnxRuntime from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel } from '../src/index.js';
import { writeTinyMarian } from './tiny-marian.js';

const SOURCE = Int32Array.of(5, 9, 4, 11, 2);

let target: string;
let weights: string;

beforeAll(async () => {
  target = join(await mkdtemp(join(tmpdir(), 'foretoken-providers-')), 'model');
  weights = await writeTinyMarian();
  await importModel(weights, target, { weights: 'float32' });
});

afterAll(async () => {
  for (const folder of [weights, join(target, '..')]) await rm(folder, { recursive: true, force: true });
});

/** ONNX Runtime on a machine with some providers, all of which compute on the CPU; asked for others it leaves them out. */
function machineWith(...present: readonly string[]) {
  const asked: unknown[][] = [];
  const runtime = {
    Tensor: onnxRuntime.Tensor,
    listSupportedBackends: () =>
      ['cpu', 'webgpu', 'cuda'].map((name) => ({ name, bundled: name !== 'cuda' || present.includes(name) })),
    InferenceSession: {
      async create(
        graph: Uint8Array,
        options: { readonly executionProviders: readonly (string | { name: string })[] },
      ) {
        asked.push([...options.executionProviders]);
        const names = options.executionProviders.map((one) => (typeof one === 'string' ? one : one.name));
        if (!names.some((name) => present.includes(name))) throw new Error(`backend not found: ${names.join()}`);
        return onnxRuntime.InferenceSession.create(graph, { ...options, executionProviders: ['cpu'] });
      },
    },
  } as unknown as OnnxRuntime;
  return { runtime, asked };
}

async function failureOf(executionProviders: unknown, runtime?: OnnxRuntime): Promise<ForetokenError> {
  const options = { probe: false, executionProviders, runtime };
  const failure = await loadModel(target, options as never).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!ForetokenError.isInstance(failure)) throw failure ?? new Error('nothing failed');
  return failure;
}

describe('execution providers', () => {
  it('are the CPU where nothing is asked for, and what is asked for in every session, settings included', async () => {
    const cuda = { name: 'cuda', deviceId: 1, arena: 'own' };
    for (const [executionProviders, used] of [
      [undefined, ['cpu']],
      [['cpu'], ['cpu']],
      [
        [cuda, 'cpu'],
        [cuda, 'cpu'],
      ],
      [['webgpu'], ['webgpu']],
    ] as const) {
      const { runtime, asked } = machineWith('cpu', 'webgpu', 'cuda');
      const options = executionProviders === undefined ? {} : { executionProviders };
      const model = await loadModel(target, { ...options, probe: true, runtime });
      const trials = executionProviders?.length ?? 0;
      expect(asked.slice(0, trials)).toEqual(used.slice(0, trials).map((one) => [one]));
      const { results } = await collect(greedy().decode(model.part('autoregressive'), { sources: [SOURCE] }));
      expect(results).toHaveLength(1);
      expect(asked.length).toBeGreaterThan(trials + 1);
      for (const one of asked.slice(trials)) expect(one).toEqual(used);
      await model.dispose();
    }
  });

  it('are refused where the runtime lacks one, by name, with those that are there, before any graph of the model', async () => {
    const before = openSessions();
    for (const providers of [['cuda'], ['cuda', 'cpu'], ['cpu', { name: 'cuda', deviceId: 0 }]]) {
      const { runtime, asked } = machineWith('cpu', 'webgpu');
      const { code, message, details } = await failureOf(providers, runtime);
      expect(code).toBe('UNSUPPORTED_CAPABILITY');
      expect(message).toContain('cuda is not available here; available: cpu, webgpu.');
      expect(message).toContain('backend not found: cuda');
      expect(details).toMatchObject({ option: 'executionProviders', available: ['cpu', 'webgpu'] });
      // Nothing but trials of one provider each.
      expect(asked.every(({ length }) => length === 1)).toBe(true);
    }
    const { message } = await failureOf(['Web-GPU'], machineWith('cpu', 'webgpu').runtime);
    expect(message).toContain('Did you mean webgpu?');
    expect((await failureOf(['cuda'], machineWith().runtime)).message).toContain('available: none');
    expect(openSessions()).toBe(before);
  });

  it('are refused by the real runtime where nobody knows them, alone or beside one that is known', async () => {
    for (const providers of [['abacus'], ['abacus', 'cpu']]) {
      const { code, message } = await failureOf(providers);
      expect(code).toBe('UNSUPPORTED_CAPABILITY');
      expect(message).toContain('abacus is not available here; available: cpu');
    }
  });

  it('are tried by common names where a runtime does not say what it has', async () => {
    const { runtime } = machineWith('wasm', 'webnn');
    const silent: OnnxRuntime = { Tensor: runtime.Tensor, InferenceSession: runtime.InferenceSession };
    const { message } = await failureOf(['webgpu'], silent);
    expect(message).toContain('webgpu is not available here; available: wasm, webnn.');
  });

  it.each(['device', 'provider', 'executionProvider'])('are what is meant by %s', async (name) => {
    await expect(loadModel(target, { [name]: 'cpu' } as never)).rejects.toThrow(
      `loadModel takes no ${name}. Did you mean executionProviders?`,
    );
  });

  it('must be names or objects with one', async () => {
    const { runtime, asked } = machineWith('cpu');
    const hostile = Object.defineProperty({}, 'name', {
      enumerable: true,
      get() {
        throw new Error('no');
      },
    });
    const wrong = ['cpu', [], [3], [null], [{}], [{ name: '' }], [''], [{ name: 'cpu', deviceId: -1 }], {}, [hostile]];
    for (const providers of [...wrong, [{ name: 'cpu', deviceId: 0.5 }], [['cpu']], null, [() => 'cpu']]) {
      expect(await failureOf(providers, runtime)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect(asked).toEqual([]);
  });
});
