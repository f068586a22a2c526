import type { DecodeEndEvent, DecodeRequest, FinishReason, Hypothesis } from '@foretoken/core';
import assert from './assert.js';

/** What of a request cuts outputs. */
export type Cut = Pick<DecodeRequest<never>, 'maxNewTokens' | 'stopSequences' | 'stopStrings'>;

/** Decodes the suite's sources with something that cuts outputs. */
export type DecodeWith = (cut: Cut) => Promise<DecodeEndEvent>;

/** Two characters a token, so that stop strings may begin and end inside of tokens. */
const textOf = (tokenIds: ArrayLike<number>): string => Array.from(tokenIds, (id) => `${id}${id + 1}`).join('');

/**
 * A limit cuts every row there and nowhere else, and one that no output reaches changes nothing. Where the decoder searches,
 * it may find another best output under a tighter limit.
 */
export async function assertLimits(full: DecodeEndEvent, decode: DecodeWith, search: boolean): Promise<void> {
  const loose = await decode({ maxNewTokens: 1000 });
  assert.deepEqual(loose.results, full.results, 'a limit that is not reached changes nothing');
  for (const maxNewTokens of [1, 2, 5]) {
    const { results } = await decode({ maxNewTokens });
    for (const [row, { hypotheses }] of results.entries()) {
      for (const { tokenIds, finishReason } of hypotheses) {
        assert.ok(tokenIds.length <= maxNewTokens, 'an output is not longer than allowed');
        assert.equal(finishReason === 'length', tokenIds.length === maxNewTokens, 'the limit ends what reaches it');
      }
      if (!search) assertCut(hypotheses[0], full.results[row]?.hypotheses[0], maxNewTokens, 'length');
    }
  }
  const maxNewTokens = full.results.map((_, row) => 1 + (row % 3));
  const { results } = await decode({ maxNewTokens });
  for (const [row, { hypotheses }] of results.entries()) {
    for (const { tokenIds } of hypotheses) {
      assert.ok(tokenIds.length <= maxNewTokens[row], 'a limit of one row holds for that row');
    }
    if (!search) assertCut(hypotheses[0], full.results[row]?.hypotheses[0], maxNewTokens[row], 'length');
  }
}

/**
 * A stop sequence ends every output at its first end, and a stop string at the token that completes it, in every row. Where
 * the decoder searches, it may find another best output.
 */
export async function assertStops(full: DecodeEndEvent, decode: DecodeWith, search: boolean): Promise<Set<string>> {
  const seen = new Set<string>();
  for (const { hypotheses: whole } of full.results) {
    const output = whole[0]?.tokenIds ?? new Int32Array();
    if (output.length < 3) continue;
    const text = textOf(output);
    // One string that ends with a token, and one that ends inside of it.
    for (const stop of [output.slice(1, 3), text.slice(1, 4), text.slice(1, 3)]) {
      const reason = typeof stop === 'string' ? 'stop-string' : 'stop-sequence';
      const { results } = await decode(
        typeof stop === 'string' ? { stopStrings: { strings: [stop], textOf } } : { stopSequences: [stop] },
      );
      for (const [row, { hypotheses }] of results.entries()) {
        for (const { tokenIds, finishReason } of hypotheses) {
          const end = endOf(stop, tokenIds);
          assert.ok(end === undefined || end === tokenIds.length, 'nothing follows a stop');
          assert.equal(finishReason === reason, end !== undefined, 'a stop ends what it is found in, and nothing else');
        }
        const uncut = full.results[row]?.hypotheses[0];
        const at = endOf(stop, uncut?.tokenIds ?? []);
        if (!search) assertCut(hypotheses[0], uncut, at ?? Number.POSITIVE_INFINITY, reason);
        if (hypotheses[0]?.finishReason === reason) seen.add(`${reason} in row ${row}`);
      }
    }
  }
  return seen;
}

/** Stops of both kinds were met, and not in the first row alone. */
export function assertMet(seen: ReadonlySet<string>): void {
  for (const reason of ['stop-sequence', 'stop-string']) {
    const rows = [...seen].filter((one) => one.startsWith(reason) && !one.endsWith('row 0'));
    assert.ok(rows.length > 0, `a ${reason} was met in another row than the first, not only ${[...seen].join(', ')}`);
  }
}

/** How many tokens it takes until a stop is met; undefined where it never is. */
function endOf(stop: Int32Array | string, tokenIds: ArrayLike<number>): number | undefined {
  for (let length = 1; length <= tokenIds.length; length++) {
    const output = Array.from({ length }, (_, index) => tokenIds[index]);
    const met =
      typeof stop === 'string' ? textOf(output).includes(stop) : `,${output.join()}`.endsWith(`,${stop.join()}`);
    if (met) return length;
  }
  return undefined;
}

function assertCut(
  cut: Hypothesis | undefined,
  full: Hypothesis | undefined,
  length: number,
  reason: FinishReason,
): void {
  const whole = [...(full?.tokenIds ?? [])];
  assert.deepEqual([...(cut?.tokenIds ?? [])], whole.slice(0, length), 'what is cut is the beginning of the whole');
  const expected = whole.length >= length ? reason : full?.finishReason;
  assert.equal(cut?.finishReason, expected, 'the reason is what ended the output');
}
