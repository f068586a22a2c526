import { type Drafter, type DraftSession, type DraftTree, ForetokenError } from '@foretoken/core';
import { describe, expect, it } from 'vitest';
import { EMPTY_DRAFT, latticeDrafter, speculative } from '../src/index.js';
import { drafterOf, failureOf } from './counting-target.js';

const never = (): Promise<never> => new Promise(() => {});

describe('a drafter that fails', () => {
  const fails = (): never => {
    throw new Error('out of ideas');
  };
  const rejects = (): Promise<never> => Promise.reject(new Error('out of ideas'));
  const wrapped = {
    code: 'INVALID_DRAFT',
    message: expect.stringMatching(/^The drafter peer failed to .*out of ideas/),
    cause: expect.objectContaining({ message: 'out of ideas' }),
  };

  it.each([
    ['throws in open', { open: fails }],
    ['rejects in open', { open: rejects }],
    ['throws in propose', { propose: fails }],
    ['rejects in propose', { propose: rejects }],
    ['throws in finish', { finish: fails }],
    ['rejects in finish, which would end the process if nobody waited', { finish: rejects }],
    ['rejects when disposed of', { dispose: rejects }],
    ['throws when disposed of', { dispose: fails }],
    [
      'opens a session that throws when it is looked at',
      {
        open: async () => ({
          get propose() {
            return fails();
          },
        }),
      },
    ],
    [
      'has a draft that throws when it is read',
      {
        propose: () => ({
          get tokenIds() {
            return fails();
          },
        }),
      },
    ],
  ])('%s: INVALID_DRAFT with its words and the cause', async (_name, parts) => {
    expect(await failureOf(drafterOf(parts))).toMatchObject(wrapped);
  });

  it('is told of by the first failure, not by one of releasing', async () => {
    const drafter = drafterOf({ propose: () => ({}), dispose: rejects });
    expect(await failureOf(drafter)).toMatchObject({ message: expect.stringContaining('offered tokenIds') });
  });

  it('throws its own typed errors as they are, and what is no Error with its words', async () => {
    const own = new ForetokenError('SOURCE_TOO_LONG', 'My source is shorter.');
    expect(await failureOf(drafterOf({ open: () => Promise.reject(own) }))).toBe(own);
    const failure = await failureOf(drafterOf({ propose: () => Promise.reject('just no') }));
    expect(failure).toMatchObject({ code: 'INVALID_DRAFT', message: expect.stringContaining('just no') });
  });

  it.each([
    ['an object without words', Object.create(null)],
    ['an error whose words are none', Object.defineProperty(new Error(), 'message', { value: Symbol('words') })],
    [
      'an error whose words throw',
      Object.defineProperty(new Error(), 'message', {
        get() {
          throw new Error('no words');
        },
      }),
    ],
    [
      'a proxy that nobody may ask',
      new Proxy(
        {},
        {
          has() {
            throw new Error('do not ask');
          },
        },
      ),
    ],
  ])('throws %s: INVALID_DRAFT', async (_name, thrown) => {
    const propose = (): never => {
      throw thrown;
    };
    const { code, cause } = (await failureOf(drafterOf({ propose }))) as ForetokenError;
    expect(code).toBe('INVALID_DRAFT');
    expect(cause === thrown).toBe(true);
  });

  it('is released where it opened a session that is none', async () => {
    const log = { disposed: 0 };
    const open = async () => ({
      async [Symbol.asyncDispose]() {
        log.disposed++;
      },
    });
    expect(await failureOf(drafterOf({ open }))).toMatchObject({ code: 'INVALID_DRAFT' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(log.disposed).toBe(1);
  });

  it.each([
    ['undefined', undefined],
    ['a plain object', {}],
    ['a session without dispose', { propose: () => EMPTY_DRAFT, forwards: 0 }],
    ['a string', 'session'],
  ])('opens %s: INVALID_DRAFT', async (_name, session) => {
    const failure = await failureOf(drafterOf({ open: async () => session }));
    expect(failure).toMatchObject({ code: 'INVALID_DRAFT', message: expect.stringContaining('peer opened') });
  });

  it.each([undefined, Number.NaN, -1, 1.5, '3'])('counts %s forwards: INVALID_DRAFT', async (forwards) => {
    expect(await failureOf(drafterOf({ forwards }))).toMatchObject({ code: 'INVALID_DRAFT' });
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a plain object', {}],
    ['a function that makes drafters', latticeDrafter],
    ['a drafter without a name', { open: async () => ({}) }],
    ['a drafter without open', { name: 'peer' }],
    ['a drafter with a null vocabulary', { name: 'peer', open: async () => ({}), vocabulary: null }],
  ])('is refused when the decoder is made where it is %s', (_name, drafter) => {
    expect(() => speculative({ drafter: drafter as unknown as Drafter<number> })).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

describe('a drafter that never answers', () => {
  /** Aborts once the drafter has been asked, and tells what the decode came to. */
  async function abortedIn(
    part: 'open' | 'propose' | 'finish' | 'dispose',
    more: Parameters<typeof drafterOf>[0] = {},
  ) {
    const controller = new AbortController();
    const reason = new Error('enough');
    const log = { disposed: 0 };
    const silent = (): Promise<never> => {
      queueMicrotask(() => controller.abort(reason));
      return never();
    };
    const failure = await failureOf(drafterOf({ ...more, [part]: silent }, log), controller.signal);
    return { failure, reason, log };
  }

  it.each(['open', 'propose', 'finish', 'dispose'] as const)(
    'in %s is left by an abort, with its reason',
    async (part) => {
      const { failure, reason, log } = await abortedIn(part);
      // The decode was over when its drafter was asked to go: then there is nothing to abort but the waiting.
      if (part === 'dispose') expect(failure).toBe('nothing failed');
      else expect(failure).toBe(reason);
      expect(log.disposed).toBe(part === 'open' ? 0 : 1);
    },
  );

  it('is not waited for in releasing either, once aborted', async () => {
    const { failure, reason, log } = await abortedIn('propose', { dispose: never });
    expect(failure).toBe(reason);
    expect(log.disposed).toBe(1);
  });

  it('releases a session that opens after the abort', async () => {
    const controller = new AbortController();
    const log = { disposed: 0 };
    const late = withResolvers<DraftSession>();
    const open = (): Promise<DraftSession> => {
      queueMicrotask(() => controller.abort(new Error('enough')));
      return late.promise;
    };
    expect(await failureOf(drafterOf({ open }), controller.signal)).toMatchObject({ message: 'enough' });
    const [session] = [await drafterOf({}, log).open([], {})];
    late.resolve(session);
    await Promise.resolve()
      .then(() => {})
      .then(() => {});
    expect(log.disposed).toBe(1);
  });

  it('may fail after the abort, which nobody hears of', async () => {
    const controller = new AbortController();
    const late = withResolvers<DraftTree>();
    const propose = (): Promise<DraftTree> => {
      queueMicrotask(() => controller.abort(new Error('enough')));
      return late.promise;
    };
    expect(await failureOf(drafterOf({ propose }), controller.signal)).toMatchObject({ message: 'enough' });
    // An unhandled rejection would fail the test run.
    late.reject(new Error('too late'));
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('leaves no listener on the signal of a decode that ends well', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    expect(await failureOf(drafterOf({ propose: async () => EMPTY_DRAFT }), signal)).toBe('nothing failed');
    expect(listeners).toBe(0);
  });
});

function withResolvers<Value>() {
  let resolve: (value: Value) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<Value>((...both) => {
    [resolve, reject] = both;
  });
  return { promise, resolve, reject };
}
