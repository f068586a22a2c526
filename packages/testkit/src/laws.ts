import assert from 'node:assert/strict';
import { type DecodeEndEvent, type DecodeEvent, type ErrorCode, ForetokenError } from '@foretoken/core';

/** Runs a decode to its end, keeping every event. */
export async function eventsOf(events: AsyncIterable<DecodeEvent>): Promise<DecodeEvent[]> {
  const all: DecodeEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** The laws of every event stream; returns its last event. */
export function assertStream(events: readonly DecodeEvent[], rows: number, endTokenId: number): DecodeEndEvent {
  const end = events.at(-1);
  assert.equal(end?.type, 'decode-end', 'the last event is decode-end');
  assert.equal(events.filter(({ type }) => type === 'decode-end').length, 1, 'there is one decode-end');
  const last = end as DecodeEndEvent;
  let atMs = 0;
  const committed = Array.from({ length: rows }, (): number[] => []);
  for (const event of events) {
    assert.ok(event.atMs >= atMs, `atMs never decreases, but ${event.atMs} follows ${atMs}`);
    atMs = event.atMs;
    if (event.type !== 'token-commit') continue;
    const output = committed[event.row] as number[];
    assert.equal(event.position, output.length, 'commits are append-only');
    assert.ok(event.tokenIds.length > 0, 'a commit holds tokens');
    output.push(...event.tokenIds);
  }
  assert.equal(last.results.length, rows, 'there is one result a row');
  let tokens = 0;
  for (const [row, result] of last.results.entries()) {
    assert.equal(result.row, row, 'results are in the order of the sources');
    const best = result.hypotheses[0];
    assert.ok(best !== undefined, 'every row has a hypothesis');
    assert.deepEqual(committed[row], [...best.tokenIds], 'commits, concatenated, are the best hypothesis');
    assert.ok(!best.tokenIds.includes(endTokenId), 'the end token is not part of the output');
    tokens += best.tokenIds.length;
  }
  assert.equal(last.statistics.tokens, tokens, 'statistics.tokens counts the output tokens');
  return last;
}

/** Best hypotheses by row, as arrays. */
export function outputsOf({ results }: DecodeEndEvent): number[][] {
  return results.map(({ hypotheses }) => [...(hypotheses[0]?.tokenIds ?? [])]);
}

/** Asserts that `run` throws a `ForetokenError` with one of these codes. */
export async function assertCode(run: () => Promise<unknown>, ...codes: readonly ErrorCode[]): Promise<void> {
  // A factory may throw where a decode would reject; async makes both alike.
  await assert.rejects(
    async () => run(),
    (error: unknown) => {
      assert.ok(ForetokenError.isInstance(error), `a ForetokenError is thrown, not ${String(error)}`);
      assert.ok(codes.includes(error.code), `the code is ${codes.join(' or ')}, not ${error.code}`);
      return true;
    },
  );
}

/** True if `run` throws exactly `reason`; any other error is thrown on. */
export async function rejectsWith(run: () => Promise<unknown>, reason: unknown): Promise<boolean> {
  try {
    await run();
    return false;
  } catch (error) {
    if (error === reason) return true;
    throw error;
  }
}
