import { setImmediate } from 'node:timers/promises';
import { collect, ForetokenError } from '@foretoken/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FACTORIES, MODELS, type OddStrategy, STRATEGIES } from './odd-strategies.js';
import { anyOf, ODD_VALUES, seeded } from './odd-values.js';

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);

beforeAll(() => void process.on('unhandledRejection', onUnhandled));
afterAll(() => void process.off('unhandledRejection', onUnhandled));

const REQUEST_FIELDS = [
  'sources',
  'maxNewTokens',
  'stopSequences',
  'stopStrings',
  'outputPrefixes',
  'seed',
  'signal',
  'max_new_tokens',
  'num_beams',
  '__proto__',
];

/** Names that a factory says it takes. */
function optionsOf(factory: (options?: never) => unknown): readonly string[] {
  try {
    factory({ unheardOf: 1 } as never);
  } catch (error) {
    return (error as ForetokenError).details.required as readonly string[];
  }
  throw new Error('An unknown option was accepted.');
}

/** What is wrong with an error, undefined for a good one. */
function complaint(error: unknown): string | undefined {
  if (error === 'stopped') return undefined;
  if (!ForetokenError.isInstance(error))
    return `untyped: ${String(error instanceof Error ? error.stack?.split('\n').slice(0, 3).join('') : error)}`;
  const { code, message } = error;
  if (!/^[A-Z]+(_[A-Z]+)*$/.test(code)) return `code ${code}`;
  if (message.length < 20 || message.length > 1000 || !/[.?]$/.test(message)) return `message: ${message}`;
  if (/\[object|undefined undefined|\bNaN NaN/.test(message)) return `message: ${message}`;
  return undefined;
}

/** Whether a promise can be of this value: one that never answers, or fails by itself, is the model's matter. */
function resolves(value: unknown): boolean {
  try {
    return typeof (value as { readonly then?: unknown } | null | undefined)?.then !== 'function';
  } catch {
    return false;
  }
}

interface Odd {
  readonly what: string;
  run(): Promise<unknown>;
}

function oddDecode(random: () => number, strategy: OddStrategy, names: readonly string[]): Odd {
  const { name, factory, model, needed = {} } = strategy;
  const odd = (): number => Math.floor(random() * ODD_VALUES.length);
  let options: object = { ...needed };
  let request: object = { sources: [Int32Array.of(1, 2), Int32Array.of(3)], maxNewTokens: 4 };
  let target: unknown = MODELS[model];
  const said: string[] = [];
  const change = (): void => {
    const value = odd();
    const made = ODD_VALUES[value]?.();
    switch (Math.floor(random() * 6)) {
      case 0:
        options = made as object;
        said.push(`options ${value}`);
        return;
      case 1: {
        const option = anyOf(random, names);
        options = { ...options, [option]: made };
        said.push(`options.${option} ${value}`);
        return;
      }
      case 2:
        request = made as object;
        said.push(`request ${value}`);
        return;
      case 3: {
        const field = anyOf(random, REQUEST_FIELDS);
        request = { ...request, [field]: made };
        said.push(`request.${field} ${value}`);
        return;
      }
      case 4:
        request = { ...request, sources: [Int32Array.of(1), made] };
        said.push(`source ${value}`);
        return;
      default:
        target = random() < 0.5 ? made : anyOf(random, [...Object.values(MODELS), MODELS]);
        said.push(`model ${value}`);
    }
  };
  change();
  // Now and then two things at once, where the first can be added to.
  try {
    if (random() < 0.3) change();
  } catch {}
  return {
    what: `${name}: ${said.join(', ')}`,
    run: async () => collect(factory(options as never).decode(target as never, request as never)),
  };
}

describe('odd requests', () => {
  it('fail by code with a message, or decode, over all strategies, and nothing rejects unhandled', async () => {
    const random = seeded(13);
    const names = new Map(STRATEGIES.map(({ name, factory }) => [name, optionsOf(factory)]));
    const complaints: string[] = [];
    let failures = 0;
    for (let round = 0; round < 8000; round++) {
      const strategy = STRATEGIES[round % STRATEGIES.length];
      const { what, run } = oddDecode(random, strategy, names.get(strategy.name) as readonly string[]);
      try {
        await run();
      } catch (error) {
        failures++;
        const wrong = complaint(error);
        if (wrong !== undefined) complaints.push(`${what}: ${wrong}`);
      }
    }
    await setImmediate();
    expect(complaints.slice(0, 40)).toEqual([]);
    expect(unhandled).toEqual([]);
    // Most odd values are wrong everywhere.
    expect(failures).toBeGreaterThan(5000);
  });

  it('each option of each factory refuses or takes each odd value', async () => {
    const complaints: string[] = [];
    for (const { name, factory, needed = {} } of [...STRATEGIES, ...FACTORIES]) {
      for (const option of optionsOf(factory as (options?: never) => unknown)) {
        for (const [index, make] of ODD_VALUES.entries()) {
          try {
            factory({ ...needed, [option]: make() } as never);
          } catch (error) {
            const wrong = complaint(error);
            if (wrong !== undefined) complaints.push(`${name}.${option} ${index}: ${wrong}`);
          }
        }
      }
    }
    await setImmediate();
    expect(complaints.slice(0, 40)).toEqual([]);
    expect(unhandled).toEqual([]);
  });

  it('a decoder refuses a model of every other kind, and parts of a loaded model, before any event', async () => {
    for (const { name, factory, model, needed = {} } of STRATEGIES) {
      for (const [kind, other] of Object.entries({ ...MODELS, loaded: MODELS })) {
        if (kind === model) continue;
        const events: unknown[] = [];
        const decode = async (): Promise<void> => {
          const decoder = factory({ ...needed } as never);
          for await (const event of decoder.decode(other as never, { sources: [Int32Array.of(1)] } as never))
            events.push(event);
        };
        await expect(decode(), `${name} on ${kind}`).rejects.toMatchObject({ code: 'UNSUPPORTED_CAPABILITY' });
        expect(events, `${name} on ${kind}`).toEqual([]);
      }
    }
  });

  it('a model that opens or emits what is no session and no lattice is refused by code', async () => {
    const complaints: string[] = [];
    for (const { name, factory, model, needed = {} } of STRATEGIES) {
      for (const [index, make] of ODD_VALUES.entries()) {
        if (!resolves(make())) continue;
        const odd = async (): Promise<unknown> => make();
        const lists = async (): Promise<unknown> => [make(), make()];
        for (const open of [odd, lists]) {
          const target = { ...MODELS[model], open, emit: open };
          const request = { sources: [Int32Array.of(1, 2), Int32Array.of(3)], maxNewTokens: 2 };
          try {
            await collect(factory({ ...needed } as never).decode(target as never, request as never));
          } catch (error) {
            const wrong = complaint(error);
            if (wrong !== undefined) complaints.push(`${name} ${index}: ${wrong}`);
          }
        }
      }
    }
    await setImmediate();
    expect(complaints.slice(0, 20)).toEqual([]);
    expect(unhandled).toEqual([]);
  });
});
