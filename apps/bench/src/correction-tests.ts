import { readFile } from 'node:fs/promises';
import { ForetokenError } from '@foretoken/core';
import type { Placed } from './correction/scores.js';
import { flickr2016 } from './test-sets.js';

/** The test lines that `apps/distill/make_correction_tests.py` makes. */
export interface CorrectionTests {
  readonly good: readonly string[];
  /** `good` with errors as typed, in its order. */
  readonly typed: readonly string[];
  /** `good` in lower case without punctuation, in its order. */
  readonly bare: readonly string[];
  /** Two lines as one, the same way, with what they were. */
  readonly joined: readonly (readonly [source: string, target: string])[];
  readonly copied: readonly Placed[];
  /** Lines of another language, German. */
  readonly foreign: readonly string[];
}

/** Lines of another language at most. */
const FOREIGN_LINES = 200;

/** Reads the tests, the first `limit` lines of each kind. Throws `INVALID_ARGUMENT` for a file that has other content. */
export async function readCorrectionTests(limit = Number.POSITIVE_INFINITY): Promise<CorrectionTests> {
  const path = new URL('../data/correction.json', import.meta.url);
  const tests = JSON.parse(await readFile(path, 'utf8')) as Omit<CorrectionTests, 'foreign'>;
  if (tests.good.length !== tests.typed.length || tests.good.length !== tests.bare.length) {
    throw new ForetokenError('INVALID_ARGUMENT', 'The test lines of the correction bench do not fit together.', {});
  }
  const { good, typed, bare, joined, copied } = tests;
  const first = <Entry>(entries: readonly Entry[]): readonly Entry[] => entries.slice(0, limit);
  const german = (await flickr2016()).references.slice(0, FOREIGN_LINES);
  return {
    good: first(good),
    typed: first(typed),
    bare: first(bare),
    joined: first(joined),
    copied: first(copied),
    foreign: first(german),
  };
}
