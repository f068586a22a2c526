import type { DraftRequest, DraftTree } from '@foretoken/core';
import { chainDraft, EMPTY_DRAFT } from '@foretoken/core/kit';
import { collectOutcomes, drafterConformance } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

const VOCABULARY = { size: 6, endTokenId: 0 };

/** What the suite says first of a drafter whose sessions are these. */
async function firstMessage(session: unknown): Promise<string> {
  const drafter = { name: 'faulty', open: async () => session as never };
  const outcomes = await collectOutcomes((runner) =>
    drafterConformance({
      runner,
      name: 'faulty',
      createDrafter: () => drafter,
      vocabulary: VOCABULARY,
      sources: [Int32Array.of(1), Int32Array.of(2)],
    }),
  );
  const first = outcomes.find(({ error }) => error !== undefined);
  return first?.error instanceof Error ? first.error.message : 'nothing';
}

const sessionOf = (propose: (requests: readonly DraftRequest[]) => unknown) => ({
  forwards: 0,
  propose,
  finish() {},
  async [Symbol.asyncDispose]() {},
});
const drafting = (draft: (request: DraftRequest) => unknown) => sessionOf((requests) => requests.map(draft));
/** A draft where there is room for it. */
const tree = (tokenIds: readonly number[], parents: readonly number[], more: Partial<DraftTree> = {}) =>
  drafting(({ limit }) =>
    limit.nodes < tokenIds.length || limit.depth < 2
      ? EMPTY_DRAFT
      : { tokenIds: Int32Array.from(tokenIds), parents: Int32Array.from(parents), ...more },
  );

const FAULTS: readonly (readonly [fault: string, session: unknown, message: RegExp])[] = [
  ['opens nothing', undefined, /a session has a method propose, but open gave undefined/],
  ['has no finish', { ...drafting(() => EMPTY_DRAFT), finish: undefined }, /has a method finish/],
  ['cannot be disposed of', { forwards: 0, propose() {}, finish() {} }, /has a method \[Symbol.asyncDispose\], but/],
  [
    'counts no forwards',
    { ...drafting(() => EMPTY_DRAFT), forwards: undefined },
    /forwards, from 0, but it is undefined/,
  ],
  ['gives no array', sessionOf(() => EMPTY_DRAFT), /propose gives an array of drafts, but it gave/],
  ['gives too few drafts', sessionOf(() => []), /one draft for each row that was asked about, but 0 for 1/],
  ['gives no draft', drafting(() => undefined), /a draft is an object with tokenIds and parents, but it is undefined/],
  [
    'gives plain arrays',
    drafting(() => ({ tokenIds: [], parents: [] })),
    /tokenIds of a draft is an Int32Array, but it is/,
  ],
  [
    'forgets parents',
    drafting(() => ({ tokenIds: new Int32Array() })),
    /parents of a draft is an Int32Array, but it is undefined/,
  ],
  ['gives fewer parents than tokens', tree([3, 4], [-1]), /there are 2 tokens and 1 parents/],
  ['drafts too much', drafting(() => chainDraft([1, 2])), /0 nodes at most where the limit says so, but it has 2/],
  ['drafts too deep', tree([1, 2, 3], [-1, 0, 1]), /2 nodes at most, but node 2 \(token 3, parent 1\) is number 3/],
  ['names a later node as parent', tree([3, 4], [1, -1]), /unlike that of node 0 \(token 3, parent 1\)/],
  ['drafts a token that is none', tree([3, 6], [-1, 0]), /a token is below 6, .* unlike node 1 \(token 6, parent 0\)/],
  ['goes on after the end', tree([0, 4], [-1, 0]), /nothing follows an end token, but node 1/],
  ['says a thing twice', tree([4, 4], [-1, -1]), /siblings hold different tokens, but node 1 \(token 4, parent -1\)/],
  [
    'gives a list of probabilities',
    tree([4], [-1], { probabilities: [1] as never }),
    /are a Float32Array, but they are/,
  ],
  ['gives too few probabilities', tree([4], [-1], { probabilities: new Float32Array() }), /but there are 0 for 1/],
  [
    'is more than sure',
    tree([4], [-1], { probabilities: Float32Array.of(1.5) }),
    /from 0 to 1, but that of node 0 is 1.5/,
  ],
];

describe('the first message about a drafter', () => {
  it('is none for a sound one', async () => {
    expect(await firstMessage(tree([3, 4], [-1, 0]))).toBe('nothing');
  });

  it.each(FAULTS)('that %s names the fault', async (_, session, message) => {
    expect(await firstMessage(session)).toMatch(message);
  });
});
