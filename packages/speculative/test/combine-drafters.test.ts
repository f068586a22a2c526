import type { Drafter, DraftTree, SourceEncoder } from '@foretoken/core';
import { assertWellFormed, proposeOne } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainDraft, combineDrafters } from '../src/index.js';
import { anyDraft } from './any-draft.js';
import { scriptedDrafter } from './scripted-target.js';

const LIMIT = { nodes: 12, depth: 12 };

function withProbabilities(tokenIds: readonly number[], ...probabilities: readonly number[]): DraftTree {
  return { ...chainDraft(tokenIds), probabilities: Float32Array.from(probabilities) };
}

async function combined(drafts: readonly DraftTree[], limit = LIMIT): Promise<DraftTree> {
  const drafter = combineDrafters(drafts.map((draft) => scriptedDrafter(() => draft)));
  const session = await drafter.open([1], {});
  try {
    return await proposeOne(session, { row: 0, prefix: new Int32Array(0), limit });
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

/** Every node as its path of tokens. */
function pathsOf({ tokenIds, parents }: DraftTree): string[] {
  const paths: string[] = [];
  for (const [node, tokenId] of tokenIds.entries()) paths.push(`${paths[parents[node]] ?? ''} ${tokenId}`);
  return paths;
}

describe('combineDrafters', () => {
  it('joins what drafts have in common and branches where they differ, most probable nodes first', async () => {
    const draft = await combined([withProbabilities([5, 6, 7], 0.9, 0.5, 0.9), withProbabilities([5, 8], 0.8, 0.9)]);
    expect(pathsOf(draft)).toEqual([' 5', ' 5 8', ' 5 6', ' 5 6 7']);
    // 5 is as probable as the surer one says; 6 and 8 share what is left.
    expect(draft.probabilities?.[0]).toBeCloseTo(0.9);
    expect((draft.probabilities?.[1] as number) + (draft.probabilities?.[2] as number)).toBeCloseTo(1);
  });

  it('takes the first of equally probable ones first', async () => {
    expect(pathsOf(await combined([chainDraft([1, 2]), chainDraft([3, 4])]))).toEqual([' 1', ' 3', ' 1 2', ' 3 4']);
  });

  it('has no more nodes than it may', async () => {
    const drafts = [chainDraft([1, 2, 3, 4]), chainDraft([5, 6, 7, 8])];
    expect((await combined(drafts, { nodes: 6, depth: 6 })).tokenIds).toHaveLength(6);
  });

  it('keeps every path of its drafters where there is room, and contracts whatever they propose', async () => {
    const anyLimit = fc.record({ nodes: fc.integer({ min: 12, max: 30 }), depth: fc.constant(12) });
    await fc.assert(
      fc.asyncProperty(fc.array(anyDraft(6), { minLength: 1, maxLength: 3 }), anyLimit, async (given, limit) => {
        const drafts = given.map((draft) => (draft.tokenIds.includes(0) ? chainDraft([1, 2]) : draft));
        const draft = await combined(drafts, limit);
        assertWellFormed(draft, limit, { size: 6, endTokenId: 0 });
        const all = new Set(drafts.flatMap(pathsOf));
        const kept = pathsOf(draft);
        expect(kept.every((path) => all.has(path))).toBe(true);
        expect(kept).toHaveLength(Math.min(all.size, limit.nodes));
      }),
      { numRuns: 1000, seed: 2 },
    );
  });

  it('is its drafters: name, vocabulary, encoder, forwards, costs, rows that are finished', async () => {
    const encoder = {} as SourceEncoder<number>;
    const vocabulary = { size: 9, endTokenId: 0 };
    const one = scriptedDrafter(() => chainDraft([1]), { name: 'one', costs: { open: 1, propose: 2 } });
    const two = scriptedDrafter(() => chainDraft([2]), { name: 'two', vocabulary, encoder });
    const three = scriptedDrafter(() => chainDraft([2]), { name: 'three', costs: { open: 10, propose: 20 } });
    const drafter = combineDrafters([one, two, three]);
    expect(drafter).toMatchObject({ name: 'one and two and three', vocabulary, costs: { open: 11, propose: 22 } });
    expect(drafter.encoder).toBe(encoder);
    const encoding = { dispose() {} };
    const session = await drafter.open([1, 2], { encoding } as unknown as Parameters<typeof drafter.open>[1]);
    expect([one, two, three].map(({ log }) => log.contexts)).toEqual([[undefined], [encoding], [undefined]]);
    expect(session.forwards).toBe(9);
    await session.finish(1);
    await session[Symbol.asyncDispose]();
    for (const { log } of [one, two, three]) expect(log).toMatchObject({ opened: 1, disposed: 1, finished: [1] });
  });

  it('names the drafter that fails, and leaves no other open', async () => {
    const good = scriptedDrafter(() => chainDraft([1]), { name: 'good' });
    const closed: Drafter<number> = {
      name: 'closed',
      async open() {
        throw new Error('no model');
      },
    };
    await expect(combineDrafters([good, closed]).open([1], {})).rejects.toMatchObject({
      code: 'INVALID_DRAFT',
      message: expect.stringContaining('closed failed to open: no model'),
    });
    expect(good.log).toMatchObject({ opened: 1, disposed: 1 });
    const bad = scriptedDrafter(() => ({ tokenIds: Int32Array.of(1), parents: Int32Array.of(4) }), { name: 'bad' });
    const session = await combineDrafters([good, bad]).open([1], {});
    const request = { row: 0, prefix: new Int32Array(0), limit: LIMIT };
    await expect(session.propose([request])).rejects.toThrow(/The drafter bad offered parent 4 at node 0/);
    await session[Symbol.asyncDispose]();
    expect([good.log.disposed, bad.log.disposed]).toEqual([2, 1]);
  });

  it('refuses none, what is no drafter, and drafters of different vocabularies', () => {
    const of = (size: number) => scriptedDrafter(() => chainDraft([1]), { vocabulary: { size, endTokenId: 0 } });
    expect(() => combineDrafters([])).toThrow(/drafters must be an array of at least 1/);
    expect(() => combineDrafters([of(9), {} as Drafter<number>])).toThrow(/drafters\[1\]/);
    expect(() => combineDrafters([of(9), of(8)])).toThrow(/8 tokens/);
  });
});
