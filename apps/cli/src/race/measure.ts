import {
  type DecodeEvent,
  type DecodeRequest,
  type DecodeStatistics,
  ForetokenError,
  type TokenSource,
} from '@foretoken/core';
import type { Strategy } from '../strategies.js';
import type { StrategyName } from '../strategy-names.js';

/** Tokens of an output that is measured, at most: more than a short sentence has. */
const MEASURED_TOKENS = 64;

/**
 * How long the output of a source may become where only time is measured. A language model goes on for thousands of tokens where nothing
 * ends it; a translation ends by itself long before this.
 */
export function measuredTokens(source: TokenSource): number {
  return Math.max(MEASURED_TOKENS, 2 * source.length);
}

/** One sentence decoded by one strategy. */
export interface Run {
  readonly strategy: StrategyName;
  readonly tokenIds: Int32Array;
  readonly statistics: DecodeStatistics;
  /** Source ids to target ids: median over the repeats. */
  readonly milliseconds: number;
  /** The same of each repeat, in their order. */
  readonly repeats: readonly number[];
  /** What happened and when, in the last repeat. */
  readonly events: readonly DecodeEvent[];
}

/**
 * Decodes one sentence with every strategy, `repeats` times.
 *
 * Strategies take turns, and another one begins each time, so that none profits from what ran before it.
 */
export async function measure(
  strategies: readonly Strategy[],
  source: TokenSource,
  repeats: number,
  signal: AbortSignal,
): Promise<Run[]> {
  const runs = strategies.map(() => [] as Run[]);
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (let turn = 0; turn < strategies.length; turn++) {
      const index = (repeat + turn) % strategies.length;
      signal.throwIfAborted();
      runs[index].push(
        await decodeOnce(strategies[index], { sources: [source], maxNewTokens: measuredTokens(source), signal }),
      );
    }
  }
  return runs.map((repeated) => {
    const times = repeated.map(({ milliseconds }) => milliseconds);
    return { ...repeated[repeated.length - 1], milliseconds: median(times), repeats: times };
  });
}

/** Decodes one sentence, timed by `now`. */
export async function decodeOnce(
  strategy: Strategy,
  request: DecodeRequest<TokenSource>,
  now: () => number = () => performance.now(),
): Promise<Run> {
  const events: DecodeEvent[] = [];
  const start = now();
  for await (const event of strategy.decode(request)) events.push(event);
  const milliseconds = now() - start;
  const end = events.at(-1);
  if (end?.type !== 'decode-end') {
    throw new ForetokenError('RUNTIME_FAILURE', `${strategy.name} stopped without a decode-end event.`);
  }
  const { tokenIds } = end.results[0].hypotheses[0];
  return {
    strategy: strategy.name,
    tokenIds,
    statistics: end.statistics,
    milliseconds,
    repeats: [milliseconds],
    events,
  };
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}
