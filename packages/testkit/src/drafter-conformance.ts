import type { Drafter, DraftLimit, DraftSession, DraftTree, TokenSource, Vocabulary } from '@foretoken/core';
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
import {
  assertDrafter,
  assertSameDraft,
  assertWellFormed,
  closeDrafts,
  finishRow,
  openDrafter,
  proposeAll,
  proposeOne,
} from './draft-laws.js';
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
    const drafter = createDrafter();
    const session = await openDrafter(drafter, rows);
    const drafts: DraftTree[] = [];
    try {
      let prefix: number[] = [];
      for (const [step, stranger] of tokens.entries()) {
        const limit = LIMITS[step % LIMITS.length];
        const draft = await proposeOne(session, { row, prefix: Int32Array.from(prefix), limit });
        assertWellFormed(draft, limit, vocabulary);
        // A drafter may use its arrays again.
        const { tokenIds, parents, probabilities } = draft;
        drafts.push({ tokenIds: tokenIds.slice(), parents: parents.slice(), probabilities: probabilities?.slice() });
        prefix = [...prefix, nextOf(draft, step, stranger)];
      }
      assertDrafter(drafter, vocabulary);
    } finally {
      await closeDrafts(session);
    }
    return drafts;
  };

  const some = { nodes: 6, depth: 6 };
  const first = [{ row: 0, prefix: new Int32Array(0), limit: some }];
  // A law for each call, so that what never answers is named by the law that the runner's time limit ends.
  const answers: Readonly<Record<string, (session: DraftSession) => unknown>> = {
    'opens a session': () => undefined,
    'answers when it is asked for drafts': (session) => proposeAll(session, first),
    'lets a row be finished': (session) => finishRow(session, 0),
    'closes its session': closeDrafts,
  };

  runner.describe(`${name} keeps the laws of drafters`, () => {
    runner.it('says what it is: its name, its vocabulary, what drafting costs', async () => {
      assertDrafter(createDrafter(), vocabulary);
    });

    for (const [law, ask] of Object.entries(answers)) {
      runner.it(law, async () => {
        const session = await openDrafter(createDrafter(), sources);
        await ask(session);
        // Whether it closes is a law of its own.
        if (ask !== closeDrafts) closeDrafts(session).catch(() => undefined);
      });
    }

    runner.it('proposes well-formed trees within the limits after any prefix', async () => {
      for (const row of sources.keys()) await follow(sources, row);
    });

    runner.it('is deterministic, and its rows do not influence one another', async () => {
      for (const [row, source] of sources.entries()) {
        const together = await follow(sources, row);
        for (const [step, draft] of (await follow(sources, row)).entries()) {
          assertSameDraft(draft, together[step], `Asked about row ${row} as before, at step ${step},`);
        }
        for (const [step, draft] of (await follow([source], 0)).entries()) {
          assertSameDraft(draft, together[step], `Opened with row ${row} alone, at step ${step},`);
        }
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
            const expected = together[row][step];
            assertSameDraft(draft, expected, `Asked by turns about row ${row}, at step ${step},`);
            prefix.push(nextOf(expected, step, stranger));
          }
        }
      } finally {
        await closeDrafts(session);
      }
    });

    runner.it('drafts for several rows at once as for each alone, and lets rows be finished', async () => {
      const session = await openDrafter(createDrafter(), sources);
      try {
        const requests = sources.map((_, row) => ({ row, prefix: new Int32Array(0), limit: some }));
        const together = await proposeAll(session, requests);
        assert.equal(together.length, requests.length, 'one draft for each row that was asked about');
        for (const [row, request] of requests.entries()) {
          const draft = await proposeOne(session, request);
          assertSameDraft(draft, together[row], `Asked about row ${row} without the others`);
        }
        await finishRow(session, 0);
        const rest = await proposeAll(session, requests.slice(1));
        for (const [index, draft] of rest.entries()) {
          assertSameDraft(draft, together[index + 1], `Asked about row ${index + 1} once row 0 is finished`);
        }
      } finally {
        await closeDrafts(session);
      }
    });

    runner.it('goes on with other rows after one is finished, and leaves prefixes as they were', async () => {
      const limit = some;
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
          await finishRow(session, finished);
          for (const length of [4, 5, 2]) {
            const request = { row: other, prefix: prefixOf(other, length), limit };
            assertSameDraft(
              await proposeOne(session, request),
              await proposeOne(fresh, request),
              `Asked about row ${other} once row ${finished} is finished`,
            );
          }
        } finally {
          await closeDrafts(session);
          await closeDrafts(fresh);
        }
      }
    });

    runner.it('gives the same after a jump as step by step', async () => {
      const prefix = Int32Array.from(tokens.slice(0, 5));
      const limit = some;
      const jump = await openDrafter(createDrafter(), sources);
      const steps = await openDrafter(createDrafter(), sources);
      try {
        for (let length = 0; length < prefix.length; length++) {
          await proposeOne(steps, { row: 0, prefix: prefix.slice(0, length), limit });
        }
        const expected = await proposeOne(jump, { row: 0, prefix, limit });
        const stepped = await proposeOne(steps, { row: 0, prefix, limit });
        assertSameDraft(stepped, expected, 'Asked step by step, and at once,');
        // A beam may go on from another hypothesis, so a prefix may also go back, or elsewhere.
        const elsewhere = { row: 0, prefix: Int32Array.from(tokens.slice(2, 6)), limit };
        const fresh = await openDrafter(createDrafter(), sources);
        try {
          const other = await proposeOne(fresh, elsewhere);
          assertSameDraft(await proposeOne(steps, elsewhere), other, 'Asked after another prefix');
        } finally {
          await closeDrafts(fresh);
        }
        const again = await proposeOne(steps, { row: 0, prefix, limit });
        assertSameDraft(again, expected, 'Back at the first prefix');
      } finally {
        await closeDrafts(jump);
        await closeDrafts(steps);
      }
    });
  });
}
