import { setImmediate } from 'node:timers/promises';
import type { DraftTree } from '@foretoken/core';
import { chainDraft, EMPTY_DRAFT } from '@foretoken/core/kit';
import { describe, expect, it } from 'vitest';
import { drafting, firstMessage, sayingOne, sessionOf, suiteOf } from './faulty-drafters.js';

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
    expect(await firstMessage({ open: async () => tree([3, 4], [-1, 0]) })).toBe('nothing');
  });

  it.each(FAULTS)('that %s names the fault', async (_, session, message) => {
    expect(await firstMessage({ open: async () => session })).toMatch(message);
  });

  it.each<[fault: string, parts: object, message: RegExp]>([
    ['has no name', { name: undefined }, /a drafter has a name, a string, but it is undefined/],
    ['is of another vocabulary', { vocabulary: { size: 7, endTokenId: 0 } }, /size 6 and .*, but it says size 7 and/],
    ['ends otherwise', { vocabulary: { size: 6 } }, /endTokenId 0, .* but it says size 6 and endTokenId undefined/],
    ['has a number for a vocabulary', { vocabulary: 6 }, /the vocabulary of a drafter is its target's/],
    ['costs what is no number', { costs: { open: 1, propose: Number.NaN } }, /costs.propose .* but it is NaN/],
    ['costs nothing that can be read', { costs: null }, /costs.open of a drafter .* but it is undefined/],
  ])('that %s names the fault', async (_, parts, message) => {
    expect(await firstMessage({ open: async () => tree([3], [-1]), ...parts })).toMatch(message);
  });

  const failing = () => {
    throw new Error('out of paper');
  };
  const closing = { [Symbol.asyncDispose]: failing };
  it.each<[call: string, open: () => Promise<unknown>, message: RegExp]>([
    ['open', async () => failing(), /^open of a drafter threw: out of paper$/],
    ['propose', async () => sessionOf(failing), /^propose of a drafter threw: out of paper$/],
    ['finish', async () => sayingOne(() => 3, failing), /^finish of a drafter threw: out of paper$/],
    [
      'dispose',
      async () => ({ ...sayingOne(() => 3), ...closing }),
      /asyncDispose\] of a drafter threw: out of paper$/,
    ],
  ])('whose %s throws names the call and what it threw', async (_, open, message) => {
    expect(await firstMessage({ open })).toMatch(message);
  });

  it('that loses count of its forwards names the count', async () => {
    let forwards = 9;
    const session = {
      ...sayingOne(() => 3),
      get forwards() {
        return forwards--;
      },
    };
    expect(await firstMessage({ open: async () => session })).toMatch(
      /forwards are counted on, but there were \d+ before/,
    );
  });

  it('that says something else when it is asked again says both', async () => {
    let asked = 0;
    const message = await firstMessage({ open: async () => sayingOne(() => 1 + ((asked++ % 7) % 5)) });
    expect(message).toMatch(
      /^Asked about row 0 as before, at step 1, .* it said tokens \[\d\] .* and then tokens \[\d\]/,
    );
  });

  it.each<[call: string, open: () => Promise<unknown>, law: string]>([
    ['open', () => new Promise(() => undefined), 'opens a session'],
    ['propose', async () => sessionOf(() => new Promise(() => undefined)), 'answers when it is asked for drafts'],
    [
      'finish',
      async () =>
        sayingOne(
          () => 3,
          () => new Promise<never>(() => undefined),
        ),
      'lets a row be finished',
    ],
    [
      'dispose',
      async () => ({ ...sayingOne(() => 3), [Symbol.asyncDispose]: () => new Promise(() => undefined) }),
      'closes its session',
    ],
  ])('whose %s never answers is the name of the first law that does not end', async (_, open, law) => {
    const laws = new Map<string, Promise<void>>();
    const it = (name: string, body: () => Promise<void>) => void laws.set(name, body());
    suiteOf({ describe: (_name, body) => body(), it }, { open });
    const turns = async (): Promise<string> => {
      for (let turn = 0; turn < 30; turn++) await setImmediate();
      return 'goes on';
    };
    for (const [name, outcome] of laws) {
      const end = await Promise.race([outcome.then(() => 'ended'), turns()]);
      if (end === 'ended') continue;
      expect(name).toBe(law);
      return;
    }
    expect.unreachable();
  });
});
