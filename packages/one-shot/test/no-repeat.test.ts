import { logSoftmax, topK } from '@foretoken/core/kit';
import { randomLogits } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collapseRepeats } from '../src/nat/collapse-repeats.js';
import { NO_REPEAT_CANDIDATES, withoutRepeats } from '../src/nat/no-repeat.js';

const END = 0;

/** The k best tokens of each of `positions`, of random scores that are now and then equal. */
function randomCandidates(seed: number, positions: number, vocabularySize: number, k: number, sharpness: number) {
  const score = randomLogits({ seed, vocabularySize, endTokenId: -1, sharpness });
  const rows = Array.from({ length: positions }, (_, position) =>
    logSoftmax(Array.from(score(Int32Array.of(position), []), (value) => Math.round(value * 2) / 2)),
  );
  const best = rows.map((row) => topK(row, k));
  return {
    k,
    tokenIds: Int32Array.from(best.flatMap((ids) => [...ids])),
    logProbs: Float32Array.from(best.flatMap((ids, position) => Array.from(ids, (id) => rows[position][id]))),
  };
}

interface Found {
  readonly tokenIds: readonly number[];
  readonly logProb: number;
}

/** The best of all combinations, the first in order of candidates among equals. */
function bruteForce(
  { k, tokenIds, logProbs }: ReturnType<typeof randomCandidates>,
  before: number,
  forbidden: number,
): Found | undefined {
  let best: Found | undefined;
  const visit = (position: number, { tokenIds: chosen, logProb }: Found): void => {
    if (position === tokenIds.length / k) {
      if (best === undefined || logProb > best.logProb + 1e-9) best = { tokenIds: chosen, logProb };
      return;
    }
    for (let entry = position * k; entry < (position + 1) * k; entry++) {
      const tokenId = tokenIds[entry];
      if (tokenId === forbidden || (tokenId !== END && tokenId === (chosen.at(-1) ?? before))) continue;
      visit(position + 1, { tokenIds: [...chosen, tokenId], logProb: logProb + logProbs[entry] });
    }
  };
  visit(0, { tokenIds: [], logProb: 0 });
  return best;
}

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);

/** What a careless implementation would do: take the best that differs from what was taken before, from left to right. */
function leftToRight({ k, tokenIds, logProbs }: ReturnType<typeof randomCandidates>): number {
  let total = 0;
  let last = -1;
  for (let position = 0; position < tokenIds.length / k; position++) {
    const entry = Array.from({ length: k }, (_, index) => position * k + index).find((at) => tokenIds[at] !== last)!;
    total += logProbs[entry];
    last = tokenIds[entry];
  }
  return total;
}

describe('withoutRepeats', () => {
  it('finds the best combination of candidates, as trying all of them does', () => {
    fc.assert(
      fc.property(
        fc.nat(1e6),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: -1, max: 3 }),
        fc.boolean(),
        (seed, positions, k, before, masked) => {
          const candidates = randomCandidates(seed, positions, 5, k, 2);
          const forbidden = masked ? 4 : -1;
          const expected = bruteForce(candidates, before, forbidden);
          const found = withoutRepeats(candidates, { before, forbidden, mayRepeat: END });
          if (expected === undefined || found === undefined) {
            expect(found).toBe(expected);
            return;
          }
          expect(sum(found.logProbs)).toBeCloseTo(expected.logProb, 5);
          for (const [position, tokenId] of found.tokenIds.entries()) {
            const place = candidates.tokenIds.subarray(position * k, (position + 1) * k).indexOf(tokenId);
            expect(place).toBeGreaterThanOrEqual(0);
            expect(found.logProbs[position]).toBe(candidates.logProbs[position * k + place]);
            const last = position === 0 ? before : found.tokenIds[position - 1];
            if (tokenId !== END) expect(tokenId).not.toBe(last);
            expect(tokenId).not.toBe(forbidden);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is told apart from choosing from left to right', () => {
    const better = Array.from({ length: 100 }, (_, seed) => randomCandidates(seed, 6, 5, 4, 2)).filter((candidates) => {
      const found = withoutRepeats(candidates, { forbidden: -1, mayRepeat: -1 });
      return leftToRight(candidates) < sum(found!.logProbs) - 1e-6;
    });
    expect(better.length).toBeGreaterThan(5);
  });

  it('needs three candidates a position to be exact over the whole vocabulary, and two are too few', () => {
    let tooFew = 0;
    for (let seed = 0; seed < 300; seed++) {
      const options = { before: (seed % 7) - 1, forbidden: -1, mayRepeat: END };
      const score = (k: number): number =>
        sum(withoutRepeats(randomCandidates(seed, 1 + (seed % 5), 6, k, 2), options)!.logProbs);
      expect(score(NO_REPEAT_CANDIDATES)).toBeCloseTo(score(6), 5);
      if (score(2) < score(6) - 1e-6) tooFew++;
    }
    expect(tooFew).toBeGreaterThan(0);
  });

  it('is the plain choice where nothing repeats, and leaves impossible tokens alone', () => {
    const tokenIds = Int32Array.of(1, 2, 3, 1);
    const plain = withoutRepeats(
      { k: 2, tokenIds, logProbs: Float32Array.of(-1, -2, -1, -2) },
      { forbidden: 9, mayRepeat: END },
    );
    expect(plain).toEqual({ tokenIds: Int32Array.of(1, 3), logProbs: Float32Array.of(-1, -1) });
    const impossible = { k: 1, tokenIds: Int32Array.of(1), logProbs: Float32Array.of(Number.NEGATIVE_INFINITY) };
    expect(withoutRepeats(impossible, { forbidden: 9, mayRepeat: END })).toBeUndefined();
  });
});

describe('collapseRepeats', () => {
  it('leaves the surest token of each run', () => {
    const { tokenIds, logProbs } = collapseRepeats({
      tokenIds: Int32Array.of(5, 5, 6, 5, 5, 5),
      logProbs: Float32Array.of(-3, -1, -2, -4, -5, -6),
    });
    expect([...tokenIds]).toEqual([5, 6, 5]);
    expect([...logProbs]).toEqual([-1, -2, -4]);
    expect(collapseRepeats({ tokenIds: new Int32Array(), logProbs: new Float32Array() }).tokenIds).toHaveLength(0);
  });

  it('changes nothing that has no repeats, and leaves none', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 })), fc.nat(3), (tokens, given) => {
        const canvas = { tokenIds: Int32Array.from(tokens), logProbs: Float32Array.from(tokens, (_, at) => -at) };
        const max = Math.min(given, tokens.length);
        const collapsed = [...collapseRepeats(canvas, max).tokenIds];
        expect(collapsed.slice(0, max)).toEqual(tokens.slice(0, max));
        for (let at = Math.max(max, 1); at < collapsed.length; at++) expect(collapsed[at]).not.toBe(collapsed[at - 1]);
        expect(collapsed).toEqual(tokens.filter((token, at) => at < max || at === 0 || token !== tokens[at - 1]));
      }),
    );
  });
});
