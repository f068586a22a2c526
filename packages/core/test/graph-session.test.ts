import { beforeEach, describe, expect, it } from 'vitest';
import { ForetokenError } from '../src/index.js';
import { GraphSession, type OnnxRuntime, openSessions, RuntimeTimings, type Tensor } from '../src/runtime/index.js';

type Outputs = Readonly<Record<string, Tensor>>;

/** A native runtime that does as it is told. */
class FakeRuntime {
  released = 0;
  readonly runs: { readonly resolve: (outputs: Outputs) => void; readonly reject: (error: unknown) => void }[] = [];
  createFails: unknown;
  releaseFails: unknown;

  get module(): OnnxRuntime {
    const session = {
      run: () => new Promise<Outputs>((resolve, reject) => void this.runs.push({ resolve, reject })),
      release: async () => {
        this.released++;
        if (this.releaseFails !== undefined) throw this.releaseFails;
      },
    };
    const create = async (): Promise<unknown> => {
      if (this.createFails !== undefined) throw this.createFails;
      return session;
    };
    return { InferenceSession: { create }, Tensor: class {} } as unknown as OnnxRuntime;
  }

  open(timings: RuntimeTimings = new RuntimeTimings()): Promise<GraphSession> {
    return GraphSession.create(this.module, { path: '/m/step.onnx', graph: new Uint8Array() }, { threads: 1 }, timings);
  }
}

async function failureOf(run: Promise<unknown>): Promise<ForetokenError> {
  try {
    await run;
  } catch (error) {
    if (ForetokenError.isInstance(error)) return error;
    throw error;
  }
  throw new Error('nothing failed');
}

describe('GraphSession', () => {
  let before = 0;
  beforeEach(() => {
    before = openSessions();
  });

  it('tells in its own words what the runtime refused to load, and counts no session', async () => {
    const runtime = new FakeRuntime();
    for (const cause of [new Error('no such operator'), 'a bare string', undefined]) {
      runtime.createFails = cause ?? null;
      const failure = await failureOf(runtime.open());
      expect(failure).toMatchObject({
        code: 'RUNTIME_FAILURE',
        details: { file: '/m/step.onnx' },
        cause: cause ?? null,
      });
      expect(failure.message).toContain(cause instanceof Error ? cause.message : String(cause ?? null));
    }
    expect(openSessions()).toBe(before);
  });

  it('tells what failed in a run, counts the run, and goes on', async () => {
    const runtime = new FakeRuntime();
    const timings = new RuntimeTimings();
    const session = await runtime.open(timings);
    const failing = failureOf(session.run({}));
    runtime.runs[0]?.reject(new Error('out of memory'));
    expect(await failing).toMatchObject({
      code: 'RUNTIME_FAILURE',
      message: expect.stringContaining('out of memory'),
      details: { file: '/m/step.onnx' },
    });
    const working = session.run({});
    runtime.runs[1]?.resolve({});
    expect(await working).toEqual({});
    expect(timings.runs).toBe(2);
    timings.reset();
    expect(timings).toMatchObject({ runs: 0, milliseconds: 0 });
    await session.dispose();
    expect(openSessions()).toBe(before);
  });

  it('ends runs with DISPOSED when it is disposed of, whether they fail or not, and releases once, after the last', async () => {
    const runtime = new FakeRuntime();
    const session = await runtime.open();
    expect(openSessions()).toBe(before + 1);
    const outcomes = [failureOf(session.run({})), failureOf(session.run({}))];
    const disposals = [session.dispose(), session.dispose()];
    expect(openSessions()).toBe(before);
    expect(await failureOf(session.run({}))).toMatchObject({ code: 'DISPOSED', details: { file: '/m/step.onnx' } });
    expect(runtime.runs).toHaveLength(2);
    runtime.runs[0]?.reject(new Error('Session already disposed..'));
    expect(await outcomes[0]).toMatchObject({ code: 'DISPOSED' });
    expect(runtime.released).toBe(0);
    runtime.runs[1]?.resolve({});
    expect(await outcomes[1]).toMatchObject({ code: 'DISPOSED' });
    await Promise.all(disposals);
    await session.dispose();
    expect(runtime.released).toBe(1);
    expect(openSessions()).toBe(before);
  });

  it('is released only after the one run going on has ended', async () => {
    const runtime = new FakeRuntime();
    const session = await runtime.open();
    const outcome = failureOf(session.run({}));
    const disposal = session.dispose();
    // Not waiting for the run, \`dispose\` would release before it first gives way.
    expect(runtime.released).toBe(0);
    runtime.runs[0]?.resolve({});
    expect(await outcome).toMatchObject({ code: 'DISPOSED' });
    await disposal;
    expect(runtime.released).toBe(1);
    expect(openSessions()).toBe(before);
  });

  it('tells every caller of dispose that the runtime could not release it', async () => {
    const runtime = new FakeRuntime();
    const session = await runtime.open();
    runtime.releaseFails = new Error('busy');
    for (const disposal of [session.dispose(), session.dispose()]) {
      expect(await failureOf(disposal)).toMatchObject({
        code: 'RUNTIME_FAILURE',
        message: expect.stringContaining('could not release /m/step.onnx: busy'),
      });
    }
    expect(openSessions()).toBe(before);
  });
});
