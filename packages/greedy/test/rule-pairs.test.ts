import { collect } from '@foretoken/core';
import { compileRules, type ScoreRules } from '@foretoken/core/kit';
import { greedy, sampling } from '@foretoken/greedy';
import { recording, scriptedModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

const END = 0;
const NEVER = Number.NEGATIVE_INFINITY;
const SOURCE = Int32Array.of(3);

/** Scores after the rules, of an output and a model's scores `[6]`. */
function after(
  rules: ScoreRules,
  output: readonly number[],
  scores: readonly number[] = [1, 2, -1, 4, -2, 3],
  minNewTokens = 0,
): number[] {
  const changed = Float32Array.from(scores);
  const context = { row: 0, prefix: Int32Array.of(5), output };
  for (const rule of compileRules(rules, { size: 6, endTokenId: END }, { minNewTokens })) rule(changed, context);
  return [...changed];
}

/** Allows these tokens at any time. */
const allowing = (...tokenIds: readonly number[]): ScoreRules => ({
  constraint: {
    start: () => 0,
    next: () => 0,
    allowed: () => Uint8Array.from({ length: 6 }, (_, tokenId) => Number(tokenIds.includes(tokenId))),
  },
});

describe('two rules at once', () => {
  it('a bias is there before the repetition penalty', () => {
    // (2 + 2) / 2 and (-1 - 1) * 2, (3 + 1) / 2 for the prefix.
    const rules = { logitBias: { 1: 2, 2: -1, 5: 1 }, repetitionPenalty: 2 };
    expect(after(rules, [1, 2])).toEqual([1, 2, -4, 4, -2, 2]);
  });

  it('the repetition penalty is there before what is subtracted', () => {
    // 4 / 2 - 2 * 0.5 - 0.25, and 3 / 2 for the prefix, which the output does not hold.
    const rules = { repetitionPenalty: 2, frequencyPenalty: 0.5, presencePenalty: 0.25 };
    expect(after(rules, [3, 3])).toEqual([1, 2, -1, 0.75, -2, 1.5]);
  });

  it('what is subtracted does not bring back what a bias forbade', () => {
    expect(after({ logitBias: { 3: NEVER }, frequencyPenalty: -5, repetitionPenalty: 0.5 }, [3])[3]).toBe(NEVER);
  });

  it('n-grams count the prefix, bad words do not', () => {
    expect(after({ noRepeatNgramSize: 2 }, [3, 5])[3]).toBe(NEVER);
    expect(after({ badWords: [Int32Array.of(5, 3)] }, [])[3]).toBe(4);
    expect(after({ badWords: [Int32Array.of(5, 3)] }, [5])[3]).toBe(NEVER);
  });

  it('a forced token stands though a rule before forbade it, with a score of 0', () => {
    for (const rules of [
      { logitBias: { 2: NEVER } },
      { badWords: [Int32Array.of(2)] },
      { noRepeatNgramSize: 1 },
    ] satisfies ScoreRules[]) {
      expect(after({ ...rules, forcedTokens: { 1: 2 } }, [2])).toEqual([NEVER, NEVER, 0, NEVER, NEVER, NEVER]);
    }
    expect(after({ forcedTokens: { 0: END } }, [], undefined, 1)[END]).toBe(0);
    expect(after({ logitBias: { 2: 5 }, forcedTokens: { 1: 2 } }, [1])[2]).toBe(4);
  });

  it('a constraint has the last word over a forced token, and your own rule over both', () => {
    expect(after({ ...allowing(1, 3), forcedTokens: { 0: 2 } }, [])).toEqual(new Array(6).fill(NEVER));
    expect(after({ ...allowing(1, 2), forcedTokens: { 0: 2 } }, [])).toEqual([NEVER, NEVER, -1, NEVER, NEVER, NEVER]);
    const own: ScoreRules = { processors: [(scores) => void scores.fill(7, 4, 5)] };
    expect(after({ ...allowing(1), ...own }, [])).toEqual([NEVER, 2, NEVER, NEVER, 7, NEVER]);
  });

  it('the end token is forbidden until the minimum, and a bias does not help it', () => {
    expect(after({ logitBias: { 0: 100 } }, [1], undefined, 2)[END]).toBe(NEVER);
    expect(after({ logitBias: { 0: 100 } }, [1, 1], undefined, 2)[END]).toBe(101);
  });
});

describe('what is no longer needed', () => {
  const model = (ends: number) =>
    recording(
      scriptedModel({
        vocabularySize: 4,
        score: (source, output) => (output.length < (source[0] === 3 ? ends : 1) ? [-9, 1, 0, 0] : [9, 0, 0, 0]),
      }),
    );

  it('a row is finished once, when it is over', async () => {
    const recorded = model(4);
    await collect(greedy().decode(recorded, { sources: [SOURCE, Int32Array.of(1)] }));
    const calls = recorded.calls.flatMap((call) => (call.call === 'finish' ? [call.row] : []));
    expect(calls).toEqual([1, 0]);
  });

  it('a sample that is over is let go of while the others go on', async () => {
    const recorded = recording(
      scriptedModel({ vocabularySize: 4, score: (_, output) => (output.length > 6 ? [9, 0, 0, 0] : [1, 1, 1, 0]) }),
    );
    await collect(sampling({ hypotheses: 4 }).decode(recorded, { sources: [SOURCE], seed: 3 }));
    const widths = recorded.calls.flatMap((call) => (call.call === 'extend' ? [call.tokenIds.length] : []));
    const retained = recorded.calls.flatMap((call) => (call.call === 'retain' ? [call.leaves.length] : []));
    expect(retained.length).toBeGreaterThan(0);
    expect(retained).toEqual([...retained].sort((a, b) => b - a));
    // What is kept is what the next forward stands on.
    expect(widths.slice(1)).toEqual(expect.arrayContaining([...new Set(retained)]));
    expect(recorded.calls.filter(({ call }) => call === 'finish')).toHaveLength(1);
  });
});

describe('mirostat', () => {
  it('keeps the surprise near its target', async () => {
    const logits = [NEVER, ...Array.from({ length: 50 }, (_, rank) => -0.15 * rank)];
    const flat = scriptedModel({ vocabularySize: 51, score: () => logits, maxLength: 500 });
    for (const surprise of [1.5, 2.5, 3.5]) {
      const decoder = sampling({ mirostat: { surprise, rate: 0.2 } });
      const { results } = await collect(decoder.decode(flat, { sources: [SOURCE], maxNewTokens: 400, seed: 1 }));
      // Once it has settled it draws from about as many tokens as have that entropy together, not from one and not from all.
      const drawn = new Set(results[0].best.tokenIds.slice(200)).size;
      expect(drawn, `target ${surprise}`).toBeGreaterThan(0.6 * 2 ** surprise);
      expect(drawn, `target ${surprise}`).toBeLessThan(2.5 * 2 ** surprise);
    }
  });
});
