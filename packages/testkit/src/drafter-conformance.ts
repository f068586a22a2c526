import assert from 'node:assert/strict';
import type {
  Drafter,
  DraftLimit,
  DraftRequest,
  DraftSession,
  DraftTree,
  TokenSource,
  Vocabulary,
} from '@foretoken/core';
import type { Runner } from './runner.js';

export interface DrafterConformanceOptions {
  readonly runner: Runner;
  readonly name: string;
  readonly createDrafter: () => Drafter<TokenSource>;
  /** The vocabulary drafts are of. */
  readonly vocabulary: Vocabulary;
  /** Sources the drafter can open, at least two. */
  readonly sources: readonly TokenSource[];
}

/** Asserts that a draft keeps the drafter's contract. */
export function assertWellFormed(
  { tokenIds, parents, probabilities }: DraftTree,
  limit: DraftLimit,
  vocabulary: Vocabulary,
): void {
  assert.equal(parents.length, tokenIds.length, 'every node has a parent');
  assert.ok(tokenIds.length <= limit.nodes, `${tokenIds.length} nodes are within the limit of ${limit.nodes}`);
  const depths: number[] = [];
  const siblings = new Set<string>();
  for (const [node, tokenId] of tokenIds.entries()) {
    const parent = parents[node];
    assert.ok(parent >= -1 && parent < node, `the parent of node ${node} is an earlier node, or the prefix`);
    assert.ok(tokenId >= 0 && tokenId < vocabulary.size, `token ${tokenId} is in the vocabulary`);
    assert.ok(parent < 0 || tokenIds[parent] !== vocabulary.endTokenId, 'an end token is a leaf');
    assert.ok(!siblings.has(`${parent} ${tokenId}`), 'siblings hold different tokens');
    siblings.add(`${parent} ${tokenId}`);
    depths.push(parent < 0 ? 1 : depths[parent] + 1);
  }
  assert.ok(Math.max(0, ...depths) <= limit.depth, 'no path is deeper than the limit');
  if (probabilities === undefined) return;
  assert.equal(probabilities.length, tokenIds.length, 'every node has a probability');
  for (const [node, probability] of probabilities.entries()) {
    assert.ok(probability >= 0 && probability <= 1, `the probability of node ${node} is one`);
  }
}

/** The draft of one row alone. */
export async function proposeOne(session: DraftSession, request: DraftRequest): Promise<DraftTree> {
  const drafts = await session.propose([request]);
  assert.ok(Array.isArray(drafts) && drafts.length === 1, 'one draft for each row that was asked about');
  return drafts[0] as DraftTree;
}

const LIMITS: readonly DraftLimit[] = [
  { nodes: 0, depth: 0 },
  { nodes: 1, depth: 1 },
  { nodes: 4, depth: 2 },
  { nodes: 10, depth: 10 },
];

/** The laws that every drafter keeps, whatever prefix its target decides on. */
export function drafterConformance(options: DrafterConformanceOptions): void {
  const { runner, name, createDrafter, vocabulary, sources } = options;
  const size = vocabulary.size;
  const tokens = Array.from({ length: 12 }, (_, index) => (index * 7 + 3) % size).filter(
    (id) => id !== vocabulary.endTokenId,
  );

  /** What the target decides on: mostly the first guess, or else another token. */
  const nextOf = ({ tokenIds: [guess] }: DraftTree, step: number, stranger: number): number =>
    step % 3 !== 2 && guess !== undefined && guess !== vocabulary.endTokenId ? guess : stranger;

  /** Drafts along a growing prefix: the drafter's own first guesses, every third token replaced by another. */
  const follow = async (rows: readonly TokenSource[], row: number): Promise<DraftTree[]> => {
    const session = await createDrafter().open(rows, {});
    const drafts: DraftTree[] = [];
    try {
      let prefix: number[] = [];
      for (const [step, stranger] of tokens.entries()) {
        const limit = LIMITS[step % LIMITS.length];
        const draft = await proposeOne(session, { row, prefix: Int32Array.from(prefix), limit });
        assertWellFormed(draft, limit, vocabulary);
        drafts.push({ tokenIds: draft.tokenIds.slice(), parents: draft.parents.slice() });
        prefix = [...prefix, nextOf(draft, step, stranger)];
      }
    } finally {
      await session[Symbol.asyncDispose]();
    }
    return drafts;
  };

  runner.describe(`${name} keeps the laws of drafters`, () => {
    runner.it('proposes well-formed trees within the limits after any prefix', async () => {
      for (const row of sources.keys()) await follow(sources, row);
    });

    runner.it('is deterministic, and its rows do not influence one another', async () => {
      for (const [row, source] of sources.entries()) {
        const together = await follow(sources, row);
        assert.deepEqual(await follow(sources, row), together);
        assert.deepEqual(await follow([source], 0), together);
      }
    });

    runner.it('drafts for rows by turns as for each on its own', async () => {
      const together = await Promise.all(sources.map((_, row) => follow(sources, row)));
      const session = await createDrafter().open(sources, {});
      try {
        const prefixes = sources.map((): number[] => []);
        for (const [step, stranger] of tokens.entries()) {
          const limit = LIMITS[step % LIMITS.length];
          for (const row of sources.keys()) {
            const prefix = prefixes[row];
            const draft = await proposeOne(session, { row, prefix: Int32Array.from(prefix), limit });
            const expected = together[row]?.[step];
            assert.deepEqual(
              [[...draft.tokenIds], [...draft.parents]],
              [[...expected.tokenIds], [...expected.parents]],
            );
            prefix.push(nextOf(expected, step, stranger));
          }
        }
      } finally {
        await session[Symbol.asyncDispose]();
      }
    });

    runner.it('drafts for several rows at once as for each alone, and lets rows be finished', async () => {
      const session = await createDrafter().open(sources, {});
      try {
        const limit = { nodes: 6, depth: 6 };
        const requests = sources.map((_, row) => ({ row, prefix: new Int32Array(0), limit }));
        const together = await session.propose(requests);
        assert.equal(together.length, requests.length, 'one draft for each row that was asked about');
        for (const [row, request] of requests.entries()) {
          assert.deepEqual(await proposeOne(session, request), together[row]);
        }
        session.finish(0);
        const rest = requests.slice(1);
        assert.deepEqual(await session.propose(rest), together.slice(1));
      } finally {
        await session[Symbol.asyncDispose]();
      }
    });

    runner.it('gives the same after a jump as step by step', async () => {
      const prefix = Int32Array.from(tokens.slice(0, 5));
      const limit = { nodes: 6, depth: 6 };
      const jump = await createDrafter().open(sources, {});
      const steps = await createDrafter().open(sources, {});
      try {
        for (let length = 0; length < prefix.length; length++) {
          await steps.propose([{ row: 0, prefix: prefix.slice(0, length), limit }]);
        }
        const expected = await jump.propose([{ row: 0, prefix, limit }]);
        assert.deepEqual(await steps.propose([{ row: 0, prefix, limit }]), expected);
        // A beam may go on from another hypothesis, so a prefix may also go back, or elsewhere.
        const elsewhere = Int32Array.from(tokens.slice(2, 6));
        const fresh = await createDrafter().open(sources, {});
        try {
          const other = await fresh.propose([{ row: 0, prefix: elsewhere, limit }]);
          assert.deepEqual(await steps.propose([{ row: 0, prefix: elsewhere, limit }]), other, 'another prefix');
        } finally {
          await fresh[Symbol.asyncDispose]();
        }
        assert.deepEqual(await steps.propose([{ row: 0, prefix, limit }]), expected, 'back to the first prefix');
      } finally {
        await jump[Symbol.asyncDispose]();
        await steps[Symbol.asyncDispose]();
      }
    });
  });
}
