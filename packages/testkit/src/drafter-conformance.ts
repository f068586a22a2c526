import type { Drafter, DraftLimit, DraftTree, TokenSource, Vocabulary } from '@foretoken/core';
import {
  anything,
  callback,
  checkOptions,
  immediate,
  listOf,
  type OptionTable,
  vocabulary as readVocabulary,
} from '@foretoken/core/kit';
import assert from './assert.js';
import { assertWellFormed, openDrafter, proposeAll, proposeOne } from './draft-laws.js';
import { type Runner, SUITE_OPTIONS } from './runner.js';

/** The drafter under test. */
export interface DrafterConformanceOptions {
  readonly runner: Runner;
  readonly name: string;
  /** Makes the drafter under test. */
  readonly createDrafter: () => Drafter<TokenSource>;
  /** The vocabulary drafts are of. */
  readonly vocabulary: Vocabulary;
  /** Sources the drafter can open, at least two. */
  readonly sources: readonly TokenSource[];
}

const OPTIONS: OptionTable<DrafterConformanceOptions> = {
  ...SUITE_OPTIONS,
  createDrafter: callback<DrafterConformanceOptions['createDrafter']>(immediate),
  vocabulary: readVocabulary,
  sources: listOf(anything<TokenSource>, 2),
};

const LIMITS: readonly DraftLimit[] = [
  { nodes: 0, depth: 0 },
  { nodes: 1, depth: 1 },
  { nodes: 4, depth: 2 },
  { nodes: 10, depth: 10 },
];

/** The laws that every drafter keeps, whatever prefix its target decides on. */
export function drafterConformance(options: DrafterConformanceOptions): void {
  const { runner, name, createDrafter, vocabulary, sources } = checkOptions('drafterConformance', options, OPTIONS, [
    'runner',
    'name',
    'createDrafter',
    'vocabulary',
    'sources',
  ]);
  const size = vocabulary.size;
  const tokens = Array.from({ length: 12 }, (_, index) => (index * 7 + 3) % size).filter(
    (id) => id !== vocabulary.endTokenId,
  );

  /** What the target decides on: mostly the first guess, or else another token. */
  const nextOf = ({ tokenIds: [guess] }: DraftTree, step: number, stranger: number): number =>
    step % 3 !== 2 && guess !== undefined && guess !== vocabulary.endTokenId ? guess : stranger;

  /** Drafts along a growing prefix: the drafter's own first guesses, every third token replaced by another. */
  const follow = async (rows: readonly TokenSource[], row: number): Promise<DraftTree[]> => {
    const session = await openDrafter(createDrafter(), rows);
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
      const session = await openDrafter(createDrafter(), sources);
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
      const session = await openDrafter(createDrafter(), sources);
      try {
        const limit = { nodes: 6, depth: 6 };
        const requests = sources.map((_, row) => ({ row, prefix: new Int32Array(0), limit }));
        const together = await proposeAll(session, requests);
        assert.equal(together.length, requests.length, 'one draft for each row that was asked about');
        for (const [row, request] of requests.entries()) {
          assert.deepEqual(await proposeOne(session, request), together[row]);
        }
        session.finish(0);
        const rest = requests.slice(1);
        assert.deepEqual(await proposeAll(session, rest), together.slice(1));
      } finally {
        await session[Symbol.asyncDispose]();
      }
    });

    runner.it('goes on with other rows after one is finished, and leaves prefixes as they were', async () => {
      const limit = { nodes: 6, depth: 6 };
      const prefixOf = (row: number, length: number) => Int32Array.from(tokens.slice(row, row + length));
      const last = sources.length - 1;
      for (const finished of [0, last]) {
        const other = last - finished;
        if (other === finished) continue;
        const session = await openDrafter(createDrafter(), sources);
        const fresh = await openDrafter(createDrafter(), sources);
        try {
          for (let length = 0; length < 4; length++) {
            const requests = sources.map((_, row) => ({ row, prefix: prefixOf(row, length), limit }));
            const before = structuredClone(requests);
            await proposeAll(session, requests);
            assert.deepEqual(requests, before, 'prefixes are read only');
          }
          await session.finish(finished);
          for (const length of [4, 5, 2]) {
            const request = { row: other, prefix: prefixOf(other, length), limit };
            assert.deepEqual(
              await proposeOne(session, request),
              await proposeOne(fresh, request),
              `row ${other} goes on`,
            );
          }
        } finally {
          await session[Symbol.asyncDispose]();
          await fresh[Symbol.asyncDispose]();
        }
      }
    });

    runner.it('gives the same after a jump as step by step', async () => {
      const prefix = Int32Array.from(tokens.slice(0, 5));
      const limit = { nodes: 6, depth: 6 };
      const jump = await openDrafter(createDrafter(), sources);
      const steps = await openDrafter(createDrafter(), sources);
      try {
        for (let length = 0; length < prefix.length; length++) {
          await proposeAll(steps, [{ row: 0, prefix: prefix.slice(0, length), limit }]);
        }
        const expected = await proposeAll(jump, [{ row: 0, prefix, limit }]);
        assert.deepEqual(await proposeAll(steps, [{ row: 0, prefix, limit }]), expected);
        // A beam may go on from another hypothesis, so a prefix may also go back, or elsewhere.
        const elsewhere = Int32Array.from(tokens.slice(2, 6));
        const fresh = await openDrafter(createDrafter(), sources);
        try {
          const other = await proposeAll(fresh, [{ row: 0, prefix: elsewhere, limit }]);
          assert.deepEqual(await proposeAll(steps, [{ row: 0, prefix: elsewhere, limit }]), other, 'another prefix');
        } finally {
          await fresh[Symbol.asyncDispose]();
        }
        assert.deepEqual(await proposeAll(steps, [{ row: 0, prefix, limit }]), expected, 'back to the first prefix');
      } finally {
        await jump[Symbol.asyncDispose]();
        await steps[Symbol.asyncDispose]();
      }
    });
  });
}
