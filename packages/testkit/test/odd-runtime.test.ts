import { setImmediate } from 'node:timers/promises';
import { ForetokenError } from '@foretoken/core';
import * as runtime from '@foretoken/core/runtime';
import { openForests, openSessions } from '@foretoken/core/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { variants } from './odd-variants.js';
import { SCENARIOS } from './runtime-scenarios.js';

/** Exports that take nothing, or are read only. */
const WITHOUT_ARGUMENTS = ['HIDDEN', 'STEADY_SLOTS', 'RuntimeTimings', 'openForests', 'openSessions'];

/** What the odd functions themselves throw passes on, as the error of any author's function does. */
const OWN = new Set(['rejected', 'a trap that throws', 'a getter that throws']);

function complaint(error: unknown): string | undefined {
  if (ForetokenError.isInstance(error) || error === 'stopped') return undefined;
  if (error instanceof Error && OWN.has(error.message)) return undefined;
  return error instanceof Error ? (error.stack?.split('\n').slice(0, 4).join(' ') ?? String(error)) : String(error);
}

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
beforeAll(() => void process.on('unhandledRejection', onUnhandled));
afterAll(() => void process.off('unhandledRejection', onUnhandled));

/** What a call gives within some turns; what goes on for longer, as with a promise of the test's that never ends, is left alone. */
async function settled(value: unknown): Promise<void> {
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 30; turn++) await setImmediate();
  };
  const waiting = Promise.resolve(value);
  waiting.catch(() => undefined);
  await Promise.race([waiting, turns()]);
}

describe('what authors of models call', () => {
  it('is all tried below', () => {
    const tried = new Set(Object.keys(SCENARIOS).map((name) => name.split(/[ .,]/)[0]));
    expect(Object.keys(runtime).filter((name) => !tried.has(name) && !WITHOUT_ARGUMENTS.includes(name))).toEqual([]);
  });

  it.each(Object.keys(SCENARIOS))('%s answers odd values by code', async (name) => {
    const { right, run } = SCENARIOS[name];
    await run(...right());
    const complaints = new Map<string, string>();
    let calls = 0;
    for (const { path, args } of variants(right)) {
      calls++;
      try {
        await settled(run(...args));
      } catch (error) {
        const wrong = complaint(error);
        if (wrong !== undefined) complaints.set(path, wrong);
      }
    }
    await setImmediate();
    expect(calls).toBeGreaterThan(60);
    expect([...complaints].map(([path, wrong]) => `${path}: ${wrong}`)).toEqual([]);
    expect(unhandled).toEqual([]);
  });

  it('leaves nothing open', () => {
    expect([openSessions(), openForests()]).toEqual([0, 0]);
  });
});
