import { type DecodeEndEvent, type DecodeRequest, ForetokenError, type TokenSource } from '@foretoken/core';
import assert from './assert.js';
import { MAX_LENGTH, SOURCES } from './decoder-models.js';
import { outputsOf } from './laws.js';
import type { RecordingModel } from './recording.js';

/** Decodes with the decoder under test. */
type Decode = (model: RecordingModel<TokenSource>, request: DecodeRequest<TokenSource>) => Promise<DecodeEndEvent>;

/** Every row that was opened is finished, once. */
export function assertFinished({ calls }: RecordingModel<TokenSource>, rows: number): void {
  const finished = calls.flatMap((call) => (call.call === 'finish' ? [call.row] : []));
  const every = Array.from({ length: rows }, (_, row) => row);
  assert.deepEqual(
    finished.sort((a, b) => a - b),
    every,
    'every row that was opened is finished',
  );
}

const STOP = Int32Array.of(6, 5);
/** By row: one that ends with the stop, one to begin, one with all tokens that an output may have, one to go on with. */
const PREFIXES = [[5, 6, 5], [], Array.from({ length: MAX_LENGTH }, (_, at) => 1 + (at % 6)), [3]].map((tokenIds) =>
  Int32Array.from(tokenIds),
);
const OVER = [0, 2];

/** Rows that are over before the first forward are finished before it, and the others are as without them. */
export async function assertOverAtOnce(recorded: () => RecordingModel<TokenSource>, decode: Decode): Promise<void> {
  const model = recorded();
  const request = { sources: SOURCES, outputPrefixes: PREFIXES, stopSequences: [STOP] };
  let end: DecodeEndEvent;
  try {
    end = await decode(model, request);
  } catch (error) {
    if (!ForetokenError.isInstance(error)) throw error;
    assert.equal(error.code, 'UNSUPPORTED_CAPABILITY');
    assert.deepEqual(model.calls, [], 'nothing was opened');
    return;
  }
  const first = model.calls.findIndex(({ call }) => call === 'extend');
  const before = model.calls.slice(0, first).flatMap((call) => (call.call === 'finish' ? [call.row] : []));
  assert.deepEqual(
    before.sort((a, b) => a - b),
    OVER,
    'a row that is over before the first forward is finished before it',
  );
  const extended = model.calls.flatMap((call) => (call.call === 'extend' ? call.rows : []));
  assert.ok(!extended.some((row) => OVER.includes(row)), 'and is never extended');
  assertFinished(model, SOURCES.length);
  const outputs = outputsOf(end);
  for (const [row, source] of SOURCES.entries()) {
    const prefix = PREFIXES[row];
    if (OVER.includes(row)) assert.deepEqual(outputs[row], [...prefix], 'its output is its prefix');
    const alone = await decode(recorded(), { ...request, sources: [source], outputPrefixes: [prefix] });
    assert.deepEqual(outputsOf(alone), [outputs[row]], `row ${row} is what it is alone`);
  }
}
