import { hotWordModel } from '@foretoken/language-models';
import { assertCode } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('hotWordModel', () => {
  const anyPhrases = fc.uniqueArray(fc.array(fc.nat(2), { minLength: 1, maxLength: 4 }), {
    selector: String,
    maxLength: 6,
  });

  it('gives an output the bonus of each phrase for each time it is said', () => {
    fc.assert(
      fc.property(anyPhrases, fc.array(fc.nat(3), { maxLength: 12 }), (all, output) => {
        const phrases = all.map((tokenIds, index) => ({ tokenIds, bonus: ((index + 1) * 0.37) % 1.9 }));
        const model = hotWordModel(phrases);
        let state = model.start();
        let score = 0;
        for (const tokenId of output) {
          score += model.score(state, tokenId);
          state = model.next(state, tokenId);
        }
        const said = (phrase: readonly number[]): number =>
          output.filter((_, at) => phrase.every((tokenId, index) => output[at + index] === tokenId)).length;
        const wanted = phrases.reduce((sum, { tokenIds, bonus }) => sum + bonus * said(tokenIds), 0);
        expect(score + model.end(state)).toBeCloseTo(wanted, 9);
      }),
      { numRuns: 500 },
    );
  });

  it('lends a prefix its share of the best phrase that it is part of, or that it ends with', () => {
    const model = hotWordModel([
      { tokenIds: [1, 2, 3], bonus: 3 },
      { tokenIds: [2, 4, 5, 6], bonus: 12 },
    ]);
    const scores: number[] = [];
    let state = model.start();
    for (const tokenId of [1, 2, 4]) {
      scores.push(model.score(state, tokenId));
      state = model.next(state, tokenId);
    }
    // 1; then its end, 2, is worth more than 1 2; then 2 4.
    expect(scores).toEqual([1, 2, 3]);
    expect(model.end(state)).toBe(-6);
  });

  it('refuses phrases without tokens, that come twice, or with a bonus out of range', async () => {
    await assertCode(async () => hotWordModel([{ tokenIds: [], bonus: 1 }]), 'INVALID_ARGUMENT');
    await assertCode(async () => hotWordModel([1, 2].map((bonus) => ({ tokenIds: [3], bonus }))), 'INVALID_ARGUMENT');
    await assertCode(async () => hotWordModel([{ tokenIds: [1], bonus: -1 }]), 'INVALID_ARGUMENT');
    await assertCode(async () => hotWordModel([{ tokenIds: [-1], bonus: 1 }]), 'INVALID_ARGUMENT');
  });
});
