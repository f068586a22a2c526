import { proposeOne } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { ngramDrafter } from '../src/index.js';

const VOCABULARY = { size: 100, endTokenId: 0 };

async function propose(
  source: readonly number[],
  prefix: readonly number[],
  options: { minNgram?: number; maxNgram?: number; nodes?: number; depth?: number } = {},
): Promise<number[]> {
  const { nodes = 10, depth = 10, ...rest } = options;
  const session = await ngramDrafter({ vocabulary: VOCABULARY, ...rest }).open([Int32Array.from(source)], {});
  const draft = await proposeOne(session, { row: 0, prefix: Int32Array.from(prefix), limit: { nodes, depth } });
  expect(session.forwards).toBe(0);
  expect([...draft.parents]).toEqual([...draft.tokenIds.keys()].map((index) => index - 1));
  await session[Symbol.asyncDispose]();
  return [...draft.tokenIds];
}

describe('ngramDrafter', () => {
  it('proposes what followed the longest suffix in the source', async () => {
    expect(await propose([5, 1, 2, 3, 4, 6, 0], [9, 2, 3])).toEqual([4, 6]);
    // The bigram 2 3 wins over the later unigram 3.
    expect(await propose([2, 3, 4, 8, 3, 7, 0], [9, 2, 3])).toEqual([4, 8, 3, 7]);
  });

  it('prefers the output to the source, and the latest occurrence', async () => {
    expect(await propose([7, 50, 51, 0], [7, 40, 7, 41, 7])).toEqual([41, 7]);
  });

  it('prefers a longer match in the source to a shorter one in the output', async () => {
    expect(await propose([1, 7, 50, 51, 0], [7, 40, 1, 7])).toEqual([50, 51]);
  });

  it('stops before the end token and at the limits', async () => {
    expect(await propose([3, 4, 5, 6, 7, 0], [3], { nodes: 2 })).toEqual([4, 5]);
    expect(await propose([3, 4, 5, 6, 7, 0], [3], { depth: 3 })).toEqual([4, 5, 6]);
    expect(await propose([3, 0, 5], [3])).toEqual([]);
  });

  it('proposes nothing without a long enough match', async () => {
    expect(await propose([3, 4, 5], [])).toEqual([]);
    expect(await propose([3, 4, 5], [8])).toEqual([]);
    expect(await propose([3, 4, 5], [8, 3], { minNgram: 2 })).toEqual([]);
    expect(await propose([8, 3, 4], [1, 8, 3], { maxNgram: 2, minNgram: 2 })).toEqual([4]);
  });

  it('refuses impossible n-gram lengths', () => {
    expect(() => ngramDrafter({ vocabulary: VOCABULARY, minNgram: 0 })).toThrowError(/minNgram/);
    expect(() => ngramDrafter({ vocabulary: VOCABULARY, minNgram: 3, maxNgram: 2 })).toThrowError(/maxNgram/);
  });
});
