import { rm } from 'node:fs/promises';
import { beamSearch } from '@foretoken/beam';
import { type Canvas, collect, type DecodeEvent, ForetokenError } from '@foretoken/core';
import { openForests, openSessions } from '@foretoken/core/runtime';
import { greedy, sampling } from '@foretoken/greedy';
import { ctcGreedy, ctcPrefixBeam, nat } from '@foretoken/one-shot';
import { levenshtein, maskPredict } from '@foretoken/refine';
import { latticeDrafter, speculative } from '@foretoken/speculative';
import * as onnxruntime from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadedModel, type LoadOptions, loadModel } from '../src/index.js';
import { hintsFolder, SOURCES, weightsOf } from './student-fixtures.js';

let folder: string;
beforeAll(async () => {
  folder = await hintsFolder({ ctcFast: await weightsOf('ctc-fast') });
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** onnxruntime-node, with a word before and after each run and each opening of a graph. */
function watchedRuntime(step: () => void): NonNullable<LoadOptions['runtime']> {
  const { InferenceSession, Tensor } = onnxruntime;
  const watched = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    step();
    const result = work();
    // Between the asking and the doing: the runtime begins its work in a later turn of the event loop.
    step();
    const done = await result;
    step();
    return done;
  };
  const create = async (...args: Parameters<typeof InferenceSession.create>) => {
    const session = await watched(() => InferenceSession.create(...args));
    return {
      run: (feeds: Parameters<typeof session.run>[0]) => watched(() => session.run(feeds)),
      release: () => session.release(),
    };
  };
  return { InferenceSession: { create }, Tensor } as unknown as NonNullable<LoadOptions['runtime']>;
}

const sources = SOURCES.slice(0, 3);
const all = (events: AsyncIterable<DecodeEvent>): Promise<unknown> => collect(events);

const WORK: Readonly<Record<string, (model: LoadedModel) => Promise<unknown>>> = {
  greedy: (model) => all(greedy().decode(model.part('autoregressive'), { sources, maxNewTokens: 4 })),
  sampling: (model) => all(sampling().decode(model.part('autoregressive'), { sources, maxNewTokens: 4 })),
  'beam search': (model) =>
    all(beamSearch({ beamSize: 2 }).decode(model.part('autoregressive'), { sources, maxNewTokens: 4 })),
  speculative: (model) => {
    const drafter = latticeDrafter({ model: model.part('lattice', { variant: 'draft' }), minProbability: 0 });
    return all(speculative({ drafter }).decode(model.part('autoregressive'), { sources, maxNewTokens: 6 }));
  },
  'CTC greedy': (model) => all(ctcGreedy().decode(model.part('lattice'), { sources })),
  'CTC prefix beam': (model) => all(ctcPrefixBeam().decode(model.part('lattice'), { sources })),
  'fast lattice': (model) => all(ctcGreedy().decode(model.part('lattice', { variant: 'fast' }), { sources })),
  'one-shot canvas': (model) => all(nat().decode(model.part('canvas'), { sources })),
  'mask-predict': (model) => all(maskPredict({ iterations: 3 }).decode(model.part('canvas'), { sources })),
  'Levenshtein edits': (model) => all(levenshtein().decode(model.part('edit'), { sources })),
  'DAG lattice': (model) => model.part('lattice', { lattice: 'dag' }).emit(sources),
  'encoder alone': async (model) => (await model.part('autoregressive').encoder?.encode(sources))?.dispose(),
  'two at once': async (model) => {
    const ended = await Promise.allSettled([
      all(greedy().decode(model.part('autoregressive'), { sources, maxNewTokens: 3 })),
      all(ctcGreedy().decode(model.part('lattice'), { sources })),
    ]);
    // Both have ended, so neither is still about to release what it opened.
    for (const end of ended) if (end.status === 'rejected') throw end.reason;
  },
};

async function outcomeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (ForetokenError.isInstance(error)) return error.code;
    throw error;
  }
}

describe('a model that is disposed of during a decode', () => {
  it.each(Object.entries(WORK))(
    'ends %s with DISPOSED, wherever it falls, and nothing stays open',
    async (_name, work) => {
      const before = { sessions: openSessions(), forests: openForests() };
      let steps = 0;
      let at = Number.POSITIVE_INFINITY;
      let disposal: Promise<void> | undefined;
      let model: LoadedModel | undefined;
      const runtime = watchedRuntime(() => {
        if (++steps === at) disposal = Promise.resolve(model?.[Symbol.asyncDispose]());
      });
      const decode = async (n: number): Promise<string> => {
        disposal = undefined;
        model = await loadModel(folder, { probe: false, threads: 1, runtime });
        steps = 0;
        at = n;
        const outcome = await outcomeOf(work(model));
        at = Number.POSITIVE_INFINITY;
        await disposal;
        // A second call is no error, and waits for the release.
        await model[Symbol.asyncDispose]();
        expect({ sessions: openSessions(), forests: openForests() }).toEqual(before);
        return outcome;
      };
      const whole = await decode(Number.POSITIVE_INFINITY);
      expect(whole).toBe('done');
      const last = steps;
      expect(last).toBeGreaterThan(2);
      // Not every step of long decodes, but each kind of step, at each place of a run.
      const stride = Math.max(1, Math.floor(last / 24));
      for (let n = 1; n <= last; n += n < 12 ? 1 : stride) {
        const outcome = await decode(n);
        // After the last run there may be nothing left to refuse.
        if (n < last || outcome !== 'done') expect([n, outcome]).toEqual([n, 'DISPOSED']);
      }
    },
  );

  it('releases every session before any call of dispose resolves', async () => {
    let opened = 0;
    let released = 0;
    const { InferenceSession, Tensor } = onnxruntime;
    const create = async (...args: Parameters<typeof InferenceSession.create>) => {
      const session = await InferenceSession.create(...args);
      opened++;
      const release = async (): Promise<void> => {
        await new Promise((resolve) => setImmediate(resolve));
        await session.release();
        released++;
      };
      return { run: (feeds: Parameters<typeof session.run>[0]) => session.run(feeds), release };
    };
    const runtime = { InferenceSession: { create }, Tensor } as unknown as NonNullable<LoadOptions['runtime']>;
    const model = await loadModel(folder, { probe: false, threads: 1, runtime });
    void model[Symbol.asyncDispose]();
    await model[Symbol.asyncDispose]();
    expect(opened).toBeGreaterThan(1);
    expect(released).toBe(opened);
  });

  it('refuses whatever comes afterwards, by the same code', async () => {
    const model = await loadModel(folder, { probe: false, threads: 1 });
    await Promise.all([model[Symbol.asyncDispose](), model[Symbol.asyncDispose]()]);
    for (const [name, work] of Object.entries(WORK)) {
      expect([name, await outcomeOf(work(model))]).toEqual([name, 'DISPOSED']);
    }
  });
});

describe('a session that is disposed of during a call', () => {
  it('ends the call with DISPOSED: fill of a canvas, all calls of an edit, extend of a forest', async () => {
    const model = await loadModel(folder, { probe: false, threads: 1 });
    const canvas = model.part('canvas');
    const filling = await canvas.open(sources);
    const blank: Canvas[] = [{ row: 0, tokenIds: Int32Array.of(canvas.maskTokenId, canvas.maskTokenId) }];
    const fill = outcomeOf(filling.fill(blank, { kind: 'argmax' }));
    await Promise.all([filling[Symbol.asyncDispose](), filling[Symbol.asyncDispose]()]);
    expect(await fill).toBe('DISPOSED');

    const edit = model.part('edit');
    const text: Canvas[] = [
      { row: 0, tokenIds: Int32Array.of(edit.startTokenId, 5, edit.placeholderTokenId, edit.vocabulary.endTokenId) },
    ];
    for (const call of ['deletions', 'placeholders', 'fill'] as const) {
      const editing = await edit.open(sources);
      const result = outcomeOf(call === 'fill' ? editing.fill(text, { kind: 'argmax' }) : editing[call](text));
      await editing[Symbol.asyncDispose]();
      expect([call, await result]).toEqual([call, 'DISPOSED']);
    }

    const forest = await model.part('autoregressive').open(sources);
    const { prefix } = forest.start(0);
    const nodes = { row: new Int32Array(1), parent: Int32Array.of(-1), tokenId: prefix.slice(0, 1) };
    const extend = outcomeOf(forest.extend(nodes, { kind: 'argmax' }));
    await forest[Symbol.asyncDispose]();
    expect(await extend).toBe('DISPOSED');
    await model[Symbol.asyncDispose]();
  });
});
