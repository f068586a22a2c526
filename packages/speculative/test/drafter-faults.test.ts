import {
  collect,
  type Drafter,
  type DraftLimit,
  type DraftSession,
  type DraftTree,
  ForetokenError,
} from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { describe, expect, it } from 'vitest';
import { ownDraft } from '../src/draft-tree.js';
import { chainDraft, EMPTY_DRAFT, latticeDrafter, speculative } from '../src/index.js';
import { hashScript, type Script, scriptedTarget } from './scripted-target.js';

const SIZE = 50;
const counting: Script = (source, output) => (output.length < source ? 3 + output.length : 0);
const never = (): Promise<never> => new Promise(() => {});

interface Log {
  disposed: number;
}

/** A drafter of parts that may be of any type, as plain JavaScript may pass them. */
function drafterOf(
  parts: {
    open?: unknown;
    propose?: unknown;
    proposeAll?: unknown;
    finish?: unknown;
    forwards?: unknown;
    dispose?: () => unknown;
  },
  log: Log = { disposed: 0 },
): Drafter<number> {
  const session = {
    forwards: 'forwards' in parts ? parts.forwards : 0,
    propose: parts.proposeAll ?? forEach(parts.propose ?? (() => EMPTY_DRAFT)),
    finish: parts.finish ?? (() => {}),
    [Symbol.asyncDispose]: async () => {
      log.disposed++;
      await parts.dispose?.();
    },
  };
  return { name: 'peer', open: parts.open ?? (async () => session) } as unknown as Drafter<number>;
}

/** Asks `propose` about each row in turn, as one proposal. */
function forEach(propose: unknown): DraftSession['propose'] {
  const ask = propose as (row: number, prefix: Int32Array, limit: DraftLimit) => DraftTree | Promise<DraftTree>;
  return (requests) => {
    const drafts = requests.map(({ row, prefix, limit }) => ask(row, prefix, limit));
    return drafts.some((one) => one instanceof Promise) ? Promise.all(drafts) : (drafts as DraftTree[]);
  };
}

const target = () => scriptedTarget({ script: counting, size: SIZE });

async function failureOf(drafter: Drafter<number>, signal?: AbortSignal): Promise<unknown> {
  const model = target();
  const request = { sources: [20, 5], signal };
  try {
    await collect(speculative({ drafter }).decode(model, request));
  } catch (error) {
    expect(model.log.disposed).toBe(model.log.opened);
    return error;
  }
  return 'nothing failed';
}

const ids = (...tokenIds: number[]): Int32Array => Int32Array.from(tokenIds);
const draft = (tokenIds: unknown, parents: unknown, more: object = {}): unknown => ({ tokenIds, parents, ...more });

const BROKEN_DRAFTS: readonly (readonly [string, unknown])[] = [
  ['undefined', undefined],
  ['null', null],
  ['a string', '3,4'],
  ['a number', 3],
  ['a symbol', Symbol('draft')],
  ['a function', () => EMPTY_DRAFT],
  ['a plain object', {}],
  ['an array', [3, 4]],
  ['an Int32Array', ids(3, 4)],
  ['no parents', { tokenIds: ids(3) }],
  ['no tokens', { parents: ids(-1) }],
  ['null arrays', draft(null, null)],
  ['plain arrays', draft([3], [-1])],
  ['strings', draft('34', '01')],
  ['floats', draft(Float32Array.of(3.5), ids(-1))],
  ['doubles that are NaN', draft(Float64Array.of(Number.NaN), ids(-1))],
  ['unsigned tokens', draft(Uint32Array.of(3), ids(-1))],
  ['64-bit parents', draft(ids(3), BigInt64Array.of(-1n))],
  ['a DataView', draft(new DataView(new ArrayBuffer(4)), ids(-1))],
  ['an array that says it is one', draft(Object.assign([3], { [Symbol.toStringTag]: 'Int32Array' }), ids(-1))],
  ['fewer parents than tokens', draft(ids(3, 4), ids(-1))],
  ['a parent that comes later', draft(ids(3, 4), ids(1, -1))],
  ['a parent below -1', draft(ids(3), ids(-2))],
  ['a parent of 2^31 - 1', draft(ids(3), ids(2 ** 31 - 1))],
  ['a token past the vocabulary', draft(ids(SIZE), ids(-1))],
  ['a negative token', draft(ids(-1), ids(-1))],
  ['more nodes than allowed', chainDraft(Array(11).fill(3))],
  ['a million nodes', chainDraft(Array(1_000_000).fill(3))],
  ['probabilities that are NaN', draft(ids(3), ids(-1), { probabilities: [Number.NaN] })],
  ['probabilities above 1', draft(ids(3, 4), ids(-1, 0), { probabilities: Float32Array.of(0.5, 1.5) })],
  ['negative probabilities', draft(ids(3), ids(-1), { probabilities: [-0.1] })],
  ['too few probabilities', draft(ids(3, 4), ids(-1, 0), { probabilities: [0.5] })],
  ['no array of probabilities', draft(ids(3), ids(-1), { probabilities: null })],
];

describe('a draft that breaks the contract', () => {
  it('reads what a drafter says of itself once, and names it where telling its costs fails', async () => {
    let reads = 0;
    const moody = (field: string) => ({
      ...drafterOf({}),
      get [field](): unknown {
        if (reads++ > 0) throw new Error('a getter that throws later');
        return field === 'name' ? 'moody' : field === 'vocabulary' ? { size: SIZE, endTokenId: 0 } : undefined;
      },
    });
    for (const field of ['name', 'vocabulary', 'encoder']) {
      reads = 0;
      const decoder = speculative({ drafter: moody(field) as Drafter<number> });
      expect((await collect(decoder.decode(target(), { sources: [5] }))).type).toBe('decode-end');
    }
    const costly = {
      ...drafterOf({}),
      get costs(): never {
        throw new Error('no idea');
      },
    };
    expect(await failureOf(costly)).toMatchObject({
      code: 'INVALID_DRAFT',
      message: 'The drafter peer failed to tell its costs: no idea.',
    });
    for (const costs of [null, 3, { open: 1 }, { open: -1, propose: 0 }]) {
      expect(await failureOf({ ...drafterOf({}), costs } as never)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  });

  const named = {
    code: 'INVALID_DRAFT',
    message: expect.stringMatching(/^The drafter peer /),
    details: { drafter: 'peer' },
  };

  for (const [name, proposal] of BROKEN_DRAFTS) {
    it(`is INVALID_DRAFT, naming the drafter: ${name}`, async () => {
      for (const propose of [() => proposal, async () => proposal]) {
        const log = { disposed: 0 };
        const failure = await failureOf(drafterOf({ propose }, log));
        expect(ForetokenError.isInstance(failure)).toBe(true);
        expect(failure).toMatchObject({ ...named, details: expect.objectContaining(named.details) });
        expect(log.disposed).toBe(1);
      }
    });
  }

  it.each([
    ['no array', () => EMPTY_DRAFT],
    ['an array of one draft for two rows', () => [EMPTY_DRAFT]],
    ['an array of three', () => [EMPTY_DRAFT, EMPTY_DRAFT, EMPTY_DRAFT]],
    ['an empty array', () => []],
    ['an array with a hole', () => [EMPTY_DRAFT, undefined]],
    ['a string', () => '3,4'],
    ['nothing', () => undefined],
  ])('is INVALID_DRAFT where all rows get %s', async (_name, proposeAll) => {
    for (const answer of [proposeAll, async () => proposeAll()]) {
      expect(await failureOf(drafterOf({ proposeAll: answer }))).toMatchObject({ code: 'INVALID_DRAFT' });
    }
  });

  it('may be refused in any round and row', async () => {
    for (let bad = 0; bad < 8; bad++) {
      let calls = 0;
      const failure = await failureOf(drafterOf({ propose: () => (calls++ === bad ? { tokenIds: 3 } : EMPTY_DRAFT) }));
      expect(failure).toMatchObject({ code: 'INVALID_DRAFT' });
      // Both rows are asked about at once.
      expect(calls).toBe(2 * Math.floor(bad / 2) + 2);
    }
  });
});

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

describe('a drafter that goes on changing what it gave', () => {
  it('changes neither the draft, nor the prefix, nor the limits', async () => {
    const truth = hashScript(SIZE);
    const shared = { tokenIds: ids(1, 1), parents: ids(-1, 0) };
    let written: readonly number[] = [];
    // While the target is scoring a draft, the drafter writes into it what the target is choosing.
    const script: Script = (source, output) => {
      const chosen = truth(source, output);
      if (output.length === written.length) shared.tokenIds[0] = chosen;
      return chosen;
    };
    const propose = (_row: number, prefix: Int32Array, limit: { nodes: number; depth: number }): DraftTree => {
      written = [...prefix];
      const fits = limit.depth >= 2;
      prefix.fill(9);
      Object.assign(limit, { nodes: 0, depth: 0 });
      return fits ? Object.assign(shared, { tokenIds: shared.tokenIds.fill(1) }) : EMPTY_DRAFT;
    };
    const request = { sources: [4], maxNewTokens: 12 };
    const expected = await collect(greedy<number>().decode(scriptedTarget({ script: truth, size: SIZE }), request));
    const decoder = speculative({ drafter: drafterOf({ propose }) });
    const received = await collect(decoder.decode(scriptedTarget({ script, size: SIZE }), request));
    expect(received.results).toEqual(expected.results);
    expect(received.statistics.speculation?.proposed).toBeGreaterThan(0);
  });
});

describe('a drafter that changes what it was given or says different things', () => {
  it('does not change the list of sources', async () => {
    const sources = [20, 5];
    const session = await drafterOf({}).open([], {});
    const open = async (given: number[]): Promise<DraftSession> => {
      given.length = 0;
      return session;
    };
    const { results } = await collect(speculative({ drafter: drafterOf({ open }) }).decode(target(), { sources }));
    expect(results.map(({ row }) => row)).toEqual([0, 1]);
    expect(sources).toEqual([20, 5]);
  });

  it('has probabilities as they were read first', () => {
    let reads = 0;
    const probabilities = {
      length: 1,
      get 0() {
        return reads++ === 0 ? 0.5 : Number.NaN;
      },
      *[Symbol.iterator]() {
        yield Number.NaN;
        yield 7;
      },
    };
    expect(ownDraft(draft(ids(3), ids(-1), { probabilities }), 'peer').probabilities).toEqual(Float32Array.of(0.5));
  });
});

describe('measured costs', () => {
  it('that are null are refused', async () => {
    const drafter = { ...drafterOf({}), costs: null } as unknown as Drafter<number>;
    await expect(collect(speculative({ drafter }).decode(target(), { sources: [3] }))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY, '3'])(
    'of a drafter that are %s are refused before any compute',
    async (open) => {
      const model = target();
      const drafter = { ...drafterOf({}), costs: { open: open as number, propose: 0 } };
      await expect(collect(speculative({ drafter }).decode(model, { sources: [3] }))).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
      expect(model.log.opened).toBe(0);
    },
  );
});

function withResolvers<Value>() {
  let resolve: (value: Value) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<Value>((...both) => {
    [resolve, reject] = both;
  });
  return { promise, resolve, reject };
}
