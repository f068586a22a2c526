import type { SourceEncoder, SourceEncoding, TokenSource } from '@foretoken/core';
import { anything, callback, listOf, number, type OptionTable, show } from '@foretoken/core/kit';
import assert from './assert.js';
import { assertClose } from './forest-scores.js';
import { assertCode, rejectsWith } from './laws.js';
import { type Runner, SUITE_OPTIONS } from './runner.js';

/** What a suite needs to know of a model under test. */
export interface ModelConformanceOptions<Model> {
  readonly runner: Runner;
  readonly name: string;
  /** The model under test; called once a law. */
  readonly createModel: () => Model | Promise<Model>;
  /** Three sources at least, of different lengths. */
  readonly sources: readonly TokenSource[];
  /** Largest difference of a score that is computed beside others (default 0). */
  readonly tolerance?: number | undefined;
}

/** What a suite of models cannot do without. */
export const REQUIRED = ['runner', 'name', 'createModel', 'sources'] as const;

/** How a suite of models reads its options. */
export function modelSuiteOptions<Model>(): OptionTable<ModelConformanceOptions<Model>> {
  return {
    ...SUITE_OPTIONS,
    createModel: callback<ModelConformanceOptions<Model>['createModel']>(anything),
    sources: listOf(anything<TokenSource>, 3),
    tolerance: number(0, Number.MAX_VALUE),
  };
}

/** Opens sources in whatever way a kind of model has. */
type Read<Result> = (
  sources: readonly TokenSource[],
  options?: { readonly encoding?: SourceEncoding | undefined; readonly signal?: AbortSignal | undefined },
) => Promise<Result>;

/** Sources that are none are refused by code, and an aborted signal is answered with its reason. */
export async function assertSources<Result>(read: Read<Result>, sources: readonly TokenSource[]): Promise<void> {
  await assertCode(() => read([]), 'EMPTY_SOURCE');
  await assertCode(() => read(['3 4' as never]), 'INVALID_ARGUMENT');
  await assertCode(() => read([sources[0], [3, 4] as never]), 'INVALID_ARGUMENT');
  await assertCode(() => read([Int32Array.of(-1)]), 'INVALID_ARGUMENT');
  const reason = new Error('enough');
  assert.ok(await rejectsWith(() => read(sources, { signal: AbortSignal.abort(reason) }), reason), 'an abort ends it');
}

/** What is read of an encoding of the sources is what is read of the sources, as often as it is used. */
export async function assertEncoding<Result>(
  encoder: SourceEncoder<TokenSource> | undefined,
  sources: readonly TokenSource[],
  read: Read<Result>,
  same: (actual: Result, expected: Result) => void,
): Promise<void> {
  if (encoder === undefined) return;
  const expected = await read(sources);
  const encoding = await encoder.encode(sources);
  try {
    assert.equal(encoding.rows, sources.length, 'an encoding has a row for each source');
    for (let use = 0; use < 2; use++) same(await read(sources, { encoding }), expected);
    await assertCode(() => read(sources.slice(1), { encoding }), 'INVALID_ARGUMENT');
  } finally {
    encoding.dispose();
  }
  await assertCode(() => read(sources, { encoding }), 'DISPOSED');
}

/** Names that no option has, and values that none can be, are refused by code, before anything is computed. */
export async function assertOptions(read: (options: never) => Promise<unknown>): Promise<void> {
  for (const options of [null, 5, [], { joinin: true }, { Signal: undefined }, { signal: 5 }, { encoding: 5 }]) {
    await assertCode(() => read(options as never), 'INVALID_ARGUMENT');
  }
}

/** Candidates `[places, k]` are ranked: best first, each once a place, none impossible to have as a log-probability. */
export function assertRanked(
  tokenIds: ArrayLike<number>,
  logProbs: ArrayLike<number>,
  k: number,
  isToken: (tokenId: number) => boolean,
): void {
  const typed = tokenIds instanceof Int32Array && logProbs instanceof Float32Array;
  assert.ok(typed, `candidates are an Int32Array and a Float32Array, not ${show(tokenIds)} and ${show(logProbs)}`);
  assert.equal(tokenIds.length, logProbs.length, 'a log-probability for each candidate');
  assert.equal(tokenIds.length % k, 0, `a whole number of places of ${k} candidates`);
  for (let begin = 0; begin < tokenIds.length; begin += k) {
    const seen = new Set<number>();
    let mass = 0;
    for (let cell = begin; cell < begin + k; cell++) {
      const logProb = logProbs[cell];
      assert.ok(logProb <= 1e-5, `a log-probability is not above 0, but candidate ${cell} has ${logProb}`);
      assert.ok(
        cell === begin || logProb <= logProbs[cell - 1],
        `candidates come best first, unlike candidate ${cell}`,
      );
      assert.ok(isToken(tokenIds[cell]), `candidate ${cell} is a token, not ${tokenIds[cell]}`);
      // What has no probability may stand for any token.
      assert.ok(logProb === Number.NEGATIVE_INFINITY || !seen.has(tokenIds[cell]), 'no token is a candidate twice');
      seen.add(tokenIds[cell]);
      mass += Math.exp(logProb);
    }
    assert.ok(mass <= 1 + 1e-3, `probabilities of a place add up to 1 at most, not ${mass}`);
  }
}

/** Scores of two answers agree; where candidates are nearly equal their order may differ, so tokens are left out. */
export function assertSameScores(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  assertClose(Array.from(actual), Array.from(expected), tolerance, what);
}
