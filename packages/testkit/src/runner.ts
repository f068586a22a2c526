import { immediate, type OptionReader, text, wrongValue } from '@foretoken/core/kit';
import { AssertionError } from './assert.js';

/** What the suites need of a test runner: vitest, node:test, jest and mocha all have it. */
export interface Runner {
  /** Groups tests. */
  describe(name: string, body: () => void): void;
  /** Runs one test. */
  it(name: string, body: () => Promise<void>): void;
}

const readRunner: OptionReader<Runner> = (name, value) => {
  const { describe, it } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Runner>;
  if (typeof describe === 'function' && typeof it === 'function') return value as Runner;
  throw wrongValue(name, value, 'a test runner with the functions describe and it, such as { describe, it } of vitest');
};

/** What every suite takes. */
export const SUITE_OPTIONS: { readonly runner: OptionReader<Runner>; readonly name: OptionReader<string> } = {
  runner: readRunner,
  name: text,
};

/** What became of one law. */
export interface Outcome {
  readonly name: string;
  /** What was thrown, where the law was broken. */
  readonly error?: unknown;
}

/** Runs a suite without a test runner and reports each law's outcome: how the suite itself is tested. */
export async function collectOutcomes(define: (runner: Runner) => void): Promise<Outcome[]> {
  if (typeof define !== 'function') throw wrongValue('define', define, 'a function that runs a suite with a runner');
  const laws: { readonly name: string; readonly body: () => Promise<void> }[] = [];
  const defined: unknown = define({
    describe: (_name, body) => body(),
    it: (name, body) => void laws.push({ name, body }),
  });
  immediate('What define gives', defined);
  const outcomes: Outcome[] = [];
  for (const { name, body } of laws) {
    try {
      await body();
      outcomes.push({ name });
    } catch (error) {
      // Undefined can be thrown too.
      outcomes.push({ name, error: error ?? new AssertionError(`${error} was thrown.`, error, undefined) });
    }
  }
  return outcomes;
}
