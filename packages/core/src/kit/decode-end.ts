import type { DecodeEndEvent, DecodeStatistics, Hypothesis, RowResult, TokenCommitEvent } from '../contract/events.js';
import type { RowOutput } from './row-output.js';

/** What was added to a row's output since it had `position` tokens; undefined for nothing, such as the end token alone. */
export function tokenCommit(
  row: number,
  output: RowOutput,
  position: number,
  atMs: number,
): TokenCommitEvent | undefined {
  if (output.length === position) return undefined;
  return { type: 'token-commit', row, position, tokenIds: output.tokenIds(position), atMs };
}

/** The result of a row, from its hypotheses, best first; at least one. */
export function rowResult(
  row: number,
  hypotheses: readonly [Hypothesis, ...Hypothesis[]] | readonly Hypothesis[],
): RowResult {
  return { row, hypotheses, best: hypotheses[0] };
}

/** The last event of a decode that was called at `began` milliseconds; it counts the tokens of the best hypotheses. */
export function decodeEnd(
  results: readonly RowResult[],
  began: number,
  counts: Omit<DecodeStatistics, 'tokens' | 'totalMs'>,
): DecodeEndEvent {
  const totalMs = performance.now() - began;
  const tokens = results.reduce((sum, { best }) => sum + best.tokenIds.length, 0);
  return { type: 'decode-end', results, statistics: { ...counts, tokens, totalMs }, atMs: totalMs };
}
