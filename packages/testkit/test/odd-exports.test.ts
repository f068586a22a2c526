import { appendFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import * as core from '@foretoken/core';
import { fileTrouble } from '@foretoken/core/node';
import * as correction from '@foretoken/correction';
import * as greedy from '@foretoken/greedy';
import * as metrics from '@foretoken/metrics';
import * as models from '@foretoken/models';
import * as oneShot from '@foretoken/one-shot';
import * as speculative from '@foretoken/speculative';
import { SteppingClock } from '@foretoken/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENTRIES, READERS, TRUSTED } from './odd-entries.js';
import { MODELS } from './odd-strategies.js';
import { anyOf, ODD_VALUES, seeded } from './odd-values.js';

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);

beforeAll(() => void process.on('unhandledRejection', onUnhandled));
afterAll(() => void process.off('unhandledRejection', onUnhandled));

const TOKENIZER = {
  encode: () => Int32Array.of(1, 2, 0),
  decode: () => 'text',
  countUnknown: () => 0,
  tokenText: () => 't',
};

/** Values that some function takes, so that what lies behind its first check is tried too. */
const RIGHT_VALUES: readonly (() => unknown)[] = [
  ...Object.values(MODELS).map((model) => () => model),
  () => ({ size: 6, endTokenId: 0 }),
  () => [Int32Array.of(1, 2), Int32Array.of(3)],
  () => Float32Array.of(-1, -2, -3),
  () => [-1, -2, -3],
  () => ['a', 'b'],
  () => [['a', 'b']],
  () => ({ sources: [Int32Array.of(1, 2)], maxNewTokens: 3 }),
  () => ({
    kind: 'ctc',
    frames: 2,
    k: 1,
    blankId: 5,
    tokenIds: Int32Array.of(1, 2),
    logProbs: Float32Array.of(-1, -1),
    blankLogProbs: Float32Array.of(-1, -1),
  }),
  () => speculative.latticeDrafter({ model: MODELS.lattice }),
  () => [
    { kind: 'autoregressive', model: MODELS.autoregressive },
    { kind: 'lattice', model: MODELS.lattice },
  ],
  () => new models.ModelParts([{ kind: 'autoregressive', model: MODELS.autoregressive as never }]),
  () => TOKENIZER,
  () => ({ part: () => MODELS.autoregressive, tokenizer: TOKENIZER }),
  () => correction.createCorrector({ part: () => MODELS.autoregressive as never, tokenizer: TOKENIZER }),
  () => models.textProcessor(TOKENIZER),
  () => new Map([['foretoken.json', new Uint8Array(4)]]),
  () => 'http://127.0.0.1:9/model/',
  () => 'autoregressive',
  () => oneShot.ctcGreedy(),
  () => greedy.greedy(),
];

interface Callable {
  readonly name: string;
  call(args: readonly unknown[]): unknown;
  readonly arity: number;
}

function callables(): Callable[] {
  return Object.entries(ENTRIES).flatMap(([entry, exports]) =>
    Object.entries(exports).flatMap(([name, value]: [string, unknown]): Callable[] => {
      const full = `${entry}.${name}`;
      if (typeof value === 'object' && value !== null) {
        return Object.entries(value)
          .filter(([, inner]) => typeof inner === 'function')
          .map(([key, inner]) => reader(`${full}.${key}`, inner as (...args: unknown[]) => unknown));
      }
      if (READERS.has(full)) return [reader(full, value as (...args: unknown[]) => unknown)];
      return typeof value === 'function' && !TRUSTED.has(full)
        ? [callable(full, value as (...args: unknown[]) => unknown)]
        : [];
    }),
  );
}

function callable(name: string, made: (...args: unknown[]) => unknown): Callable {
  const isClass = /^class\b/.test(Function.prototype.toString.call(made));
  const call = (args: readonly unknown[]): unknown =>
    isClass ? Reflect.construct(made, args) : Reflect.apply(made, undefined, args);
  return { name, call, arity: made.length };
}

/** One of a table of readers of options: their names are ours. */
function reader(name: string, read: (...args: unknown[]) => unknown): Callable {
  return { name, call: ([value]) => read('option', value), arity: 1 };
}

function complaint(name: string, error: unknown): string | undefined {
  if (error === 'stopped' || error instanceof metrics.MetricsError || core.ForetokenError.isInstance(error))
    return undefined;
  // It throws on what it is not asked about.
  if (name === 'testkit.rejectsWith' && error instanceof Error && error.message === 'rejected') return undefined;
  // What files of others do, which this puts into words.
  if (name.startsWith('core/node.') && fileTrouble(error) !== undefined) return undefined;
  // What a law of the testkit throws, for a test runner.
  if (error instanceof Error && error.name === 'AssertionError' && 'expected' in error) return undefined;
  return `untyped: ${String(error instanceof Error ? error.stack?.split('\n').slice(0, 4).join(' ') : String(error))}`;
}

/** Calls that say where they are going on, so that what hangs or is not typed can be found. */
const ROUNDS = Number(process.env.ODD_ROUNDS ?? 20_000);
const SEED = Number(process.env.ODD_SEED ?? 1);
const TRACE = process.env.ODD_TRACE;

const NATIVE = /^\[object (?!Object\])/;

/** Methods of what was returned, its prototypes' too. */
function methodsOf(value: object): string[] {
  const names = new Set<string>();
  for (let at: object | null = value; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
  }
  names.delete('constructor');
  return [...names].filter((name) => {
    // What a schema of another library keeps for itself.
    if (name.startsWith('~')) return false;
    try {
      return typeof (value as Record<string, unknown>)[name] === 'function';
    } catch {
      return false;
    }
  });
}

/** What a promise gives within some turns, in a list, since it may be odd itself; one that goes on for longer is left alone. */
async function settled(value: unknown): Promise<readonly unknown[]> {
  if (!(value instanceof Promise)) return [value];
  const boxed = value.then((result: unknown) => [result]);
  boxed.catch(() => undefined);
  return Promise.race([boxed, later(20)]);
}

async function later(turns: number): Promise<readonly unknown[]> {
  for (let turn = 0; turn < turns; turn++) await setImmediate();
  return [];
}

async function taken(value: unknown, count: number): Promise<void> {
  if (typeof value !== 'object' || value === null) return;
  if (Symbol.asyncIterator in value) {
    const iterator = (value as AsyncIterable<unknown>)[Symbol.asyncIterator]();
    for (let index = 0; index < count; index++) await settled(iterator.next());
    await settled(iterator.return?.());
  } else if (!ArrayBuffer.isView(value) && Symbol.iterator in value && 'next' in value) {
    const iterator = (value as Iterable<unknown>)[Symbol.iterator]();
    for (let index = 0; index < count; index++) iterator.next();
  }
}

describe('odd calls', () => {
  it('of everything that the packages export fail by code, and nothing rejects unhandled', async () => {
    const random = seeded(SEED);
    const all = callables();
    const complaints = new Map<string, string>();
    let calls = 0;
    const value = (): unknown => (random() < 0.6 ? anyOf(random, RIGHT_VALUES)() : anyOf(random, ODD_VALUES)());
    const argumentsFor = (arity: number): unknown[] =>
      Array.from({ length: Math.max(1, arity) + (random() < 0.3 ? 1 : 0) - (random() < 0.1 ? 1 : 0) }, value);
    const tried = async (name: string, run: () => unknown): Promise<readonly unknown[]> => {
      calls++;
      if (TRACE !== undefined) appendFileSync(TRACE, `${name}\n`);
      try {
        const result = await settled(run());
        await taken(result[0], 4);
        // Such as a clock that stands in for the machine's.
        if (result[0] instanceof SteppingClock) result[0][Symbol.dispose]();
        return result;
      } catch (error) {
        const wrong = complaint(name, error);
        if (wrong !== undefined && !complaints.has(name)) complaints.set(name, wrong);
        return [];
      }
    };
    for (let round = 0; calls < ROUNDS; round++) {
      const { name, call, arity } = all[round % all.length];
      const [made] = await tried(name, () => call(argumentsFor(arity)));
      // Objects of ours, not what the language has.
      if (typeof made !== 'object' || made === null || NATIVE.test(Object.prototype.toString.call(made))) continue;
      if (made instanceof EventTarget || Array.isArray(made)) continue;
      for (const method of methodsOf(made).slice(0, 12)) {
        const owner = made as Record<string, (...args: unknown[]) => unknown>;
        await tried(`${name}().${method}`, () => owner[method]?.(...argumentsFor(owner[method]?.length ?? 0)));
      }
    }
    await setImmediate();
    expect([...complaints].map(([name, wrong]) => `${name}: ${wrong}`)).toEqual([]);
    expect(unhandled).toEqual([]);
  });
});
