import {
  type DecodeEndEvent,
  type DecodeEvent,
  type ErrorCode,
  type FinishReason,
  ForetokenError,
  type Hypothesis,
  type TokenAlignment,
} from '@foretoken/core';
import { assertInteger, hasMethods, show, wrongValue } from '@foretoken/core/kit';
import assert from './assert.js';
import { assertFunction, lawOver } from './readable.js';

function isAsyncIterable(value: unknown): boolean {
  try {
    return typeof (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === 'function';
  } catch {
    return false;
  }
}

/** Runs a decode to its end, keeping every event. */
export async function eventsOf(events: AsyncIterable<DecodeEvent>): Promise<DecodeEvent[]> {
  if (!isAsyncIterable(events)) throw wrongValue('events', events, 'the events of a decode, an async iterable');
  const iterator = events[Symbol.asyncIterator]();
  if (!hasMethods(iterator, 'next')) throw wrongValue('events', events, 'events that can be iterated over');
  const all: DecodeEvent[] = [];
  const given: unknown[] = [];
  for await (const event of { [Symbol.asyncIterator]: () => iterator }) {
    all.push(event);
    given.push(cloneOf(event));
  }
  for (const [index, event] of all.entries()) {
    if (given[index] !== undefined) assert.deepEqual(event, given[index], 'what an event held stays as it was');
  }
  return all;
}

/** A copy; undefined for what holds more than data. */
function cloneOf(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return undefined;
  }
}

/** The laws of every event stream; returns its last event. */
export function assertStream(events: readonly DecodeEvent[], rows: number, endTokenId: number): DecodeEndEvent {
  assertInteger('rows', rows, 0, MAX_ROWS);
  return lawOver('events', events, () => assertEvents(events, rows, endTokenId));
}

/** Most rows of a decode that is looked at. */
const MAX_ROWS = 65_536;

function assertEvents(events: readonly DecodeEvent[], rows: number, endTokenId: number): DecodeEndEvent {
  const end = events.at(-1);
  assert.equal(end?.type, 'decode-end', 'the last event is decode-end');
  assert.equal(events.filter(({ type }) => type === 'decode-end').length, 1, 'there is one decode-end');
  const last = end;
  let atMs = 0;
  const committed = Array.from({ length: rows }, (): number[] => []);
  for (const event of events) {
    assert.ok(event.atMs >= atMs, `atMs never decreases, but ${event.atMs} follows ${atMs}`);
    atMs = event.atMs;
    assert.ok(EVENTS.has(event.type), `an event is of a type that there is, not ${show(event.type)}`);
    if (event.type === 'canvas-revise') assertTokens(event.tokenIds);
    if (event.type !== 'token-commit') continue;
    assertTokens(event.tokenIds);
    const output = committed[event.row];
    assert.ok(output !== undefined, `a row is below ${rows}, not ${event.row}`);
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
    assert.equal(result.best, best, 'best is hypotheses[0] itself, not a copy of it');
    assert.deepEqual(committed[row], [...best.tokenIds], 'commits, concatenated, are the best hypothesis');
    assert.ok(!best.tokenIds.includes(endTokenId), 'the end token is not part of the output');
    assertHypotheses(result.hypotheses);
    tokens += best.tokenIds.length;
  }
  assert.equal(last.statistics.tokens, tokens, 'statistics.tokens counts the output tokens');
  assertStatistics(events, last);
  return last;
}

const EVENTS: ReadonlySet<unknown> = new Set<DecodeEvent['type']>([
  'token-commit',
  'canvas-revise',
  'draft-end',
  'decode-end',
]);
const REASONS: ReadonlySet<unknown> = new Set<FinishReason>([
  'end-token',
  'length',
  'stop-sequence',
  'stop-string',
  'complete',
]);

function assertTokens(tokenIds: unknown): void {
  assert.ok(tokenIds instanceof Int32Array, `tokens are an Int32Array, not ${show(tokenIds)}`);
}

/** Hypotheses come best first, by what they are ranked by; token log-probabilities are one a token, the end token's too. */
function assertHypotheses(hypotheses: readonly Hypothesis[]): void {
  let above = Number.POSITIVE_INFINITY;
  for (const { score, tokenIds, tokenLogProbs = [], alternatives, alignment, finishReason } of hypotheses) {
    assertTokens(tokenIds);
    assert.ok(REASONS.has(finishReason), `an output ends for a reason that there is, not ${show(finishReason)}`);
    if (alignment !== undefined) assertAlignment(alignment, tokenIds.length);
    if (score !== undefined) {
      assert.ok(score <= above + 1e-6, `hypotheses come best first, but ${score} follows ${above}`);
      above = score;
    }
    assert.ok(tokenLogProbs.length <= tokenIds.length + 1, 'a log-probability a token, and one of the end token');
    for (const logProb of tokenLogProbs)
      assert.ok(logProb <= 1e-5, `a log-probability is not above 0, as ${logProb} is`);
    assert.equal(alternatives?.length ?? tokenLogProbs.length, tokenLogProbs.length, 'alternatives of each token');
  }
}

/** A token is said by its frames one after the other, which come after those of the token before. */
function assertAlignment({ firstFrames, lastFrames, logProbs }: TokenAlignment, tokens: number): void {
  for (const { length } of [firstFrames, lastFrames, logProbs])
    assert.equal(length, tokens, 'an alignment says the frames of each token');
  let before = -1;
  for (const [token, first] of firstFrames.entries()) {
    const last = lastFrames[token];
    const frames = `token ${token} is said by frames ${first} to ${last}, after frame ${before}`;
    assert.ok(before < first && first <= last, `frames follow one another, but ${frames}`);
    assert.ok(logProbs[token] <= 1e-5, `a log-probability is not above 0, as ${logProbs[token]} is`);
    before = last;
  }
}

function assertStatistics(events: readonly DecodeEvent[], { statistics, atMs }: DecodeEndEvent): void {
  const { forwards, otherForwards = 0, totalMs, speculation } = statistics;
  for (const count of [forwards, otherForwards])
    assert.ok(Number.isInteger(count) && count >= 0, 'forwards are counts');
  const before = events.at(-2)?.atMs ?? 0;
  assert.ok(totalMs >= before && totalMs <= atMs, `totalMs is when the last event was made, not ${totalMs}`);
  const total = { proposed: 0, evaluated: 0, accepted: 0 };
  const rounds = new Map<number, number>();
  for (const event of events) {
    if (event.type !== 'draft-end') continue;
    const { row, round, proposed, evaluated, accepted, depth } = event;
    assert.equal(round, rounds.get(row) ?? 0, 'the rounds of a row are counted from 0');
    rounds.set(row, round + 1);
    assert.ok(
      0 <= accepted && accepted <= evaluated && evaluated <= proposed,
      'of what was proposed some was accepted',
    );
    assert.ok(depth <= proposed, 'a path is no longer than the tree');
    total.proposed += proposed;
    total.evaluated += evaluated;
    total.accepted += accepted;
  }
  if (speculation === undefined) {
    assert.equal(rounds.size, 0, 'where drafts are told of, statistics count them');
    return;
  }
  const { draftForwards, proposed, evaluated, accepted } = speculation;
  assert.ok(Number.isInteger(draftForwards) && draftForwards >= 0, 'draft forwards are a count');
  assert.deepEqual({ proposed, evaluated, accepted }, total, 'statistics add up what was told of drafts');
}

/** Best hypotheses by row, as arrays. */
export function outputsOf(end: DecodeEndEvent): number[][] {
  return lawOver('end', end, () => end.results.map(({ hypotheses }) => [...(hypotheses[0]?.tokenIds ?? [])]));
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
  assertFunction('run', run);
  try {
    await run();
    return false;
  } catch (error) {
    if (error === reason) return true;
    throw error;
  }
}

/** Whether an error is of this code, row and position. */
export function errorAt(code: ErrorCode, row: number, position: number): (error: unknown) => true {
  return (error) => {
    assert.ok(ForetokenError.isInstance(error), `a ForetokenError is thrown, not ${String(error)}`);
    const { details } = error;
    assert.deepEqual([error.code, details.row, details.position], [code, row, position]);
    return true;
  };
}

/** The last thing shown of a row is its output, with a log-probability a token wherever any are given. */
export function assertShown(ofRow: readonly DecodeEvent[], tokenIds: Int32Array): void {
  lawOver('events', ofRow, () => assertRowShown(ofRow, tokenIds));
}

function assertRowShown(ofRow: readonly DecodeEvent[], tokenIds: Int32Array): void {
  let last: Int32Array | undefined;
  for (const event of ofRow) {
    if (event.type !== 'canvas-revise') continue;
    assert.equal(event.logProbs?.length ?? event.tokenIds.length, event.tokenIds.length, 'a log-probability a token');
    for (const logProb of event.logProbs ?? []) assert.ok(!(logProb > 0), 'log-probabilities are not positive');
    last = event.tokenIds;
  }
  if (last !== undefined) assert.deepEqual(last, tokenIds, 'the last canvas shown is the output');
}
