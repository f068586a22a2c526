import { collect, type Drafter, ForetokenError } from '@foretoken/core';
import { describe, expect, it } from 'vitest';
import { chainDraft, EMPTY_DRAFT, speculative } from '../src/index.js';
import { draft, drafterOf, failureOf, ids, SIZE, target } from './counting-target.js';

const BROKEN_DRAFTS: readonly (readonly [string, unknown])[] = [
  ['undefined', undefined],
  ['null', null],
  ['a string', '3,4'],
  ['a number', 3],
  ['a symbol', Symbol('draft')],
  ['a function', () => EMPTY_DRAFT],
  ['a plain object', {}],
  ['an array', [3, 4]],
  ['an Int32Array', ids(3, 4)],
  ['no parents', { tokenIds: ids(3) }],
  ['no tokens', { parents: ids(-1) }],
  ['null arrays', draft(null, null)],
  ['plain arrays', draft([3], [-1])],
  ['strings', draft('34', '01')],
  ['floats', draft(Float32Array.of(3.5), ids(-1))],
  ['doubles that are NaN', draft(Float64Array.of(Number.NaN), ids(-1))],
  ['unsigned tokens', draft(Uint32Array.of(3), ids(-1))],
  ['64-bit parents', draft(ids(3), BigInt64Array.of(-1n))],
  ['a DataView', draft(new DataView(new ArrayBuffer(4)), ids(-1))],
  ['an array that says it is one', draft(Object.assign([3], { [Symbol.toStringTag]: 'Int32Array' }), ids(-1))],
  ['fewer parents than tokens', draft(ids(3, 4), ids(-1))],
  ['a parent that comes later', draft(ids(3, 4), ids(1, -1))],
  ['a parent below -1', draft(ids(3), ids(-2))],
  ['a parent of 2^31 - 1', draft(ids(3), ids(2 ** 31 - 1))],
  ['a token past the vocabulary', draft(ids(SIZE), ids(-1))],
  ['a negative token', draft(ids(-1), ids(-1))],
  ['more nodes than allowed', chainDraft(Array(11).fill(3))],
  ['a million nodes', chainDraft(Array(1_000_000).fill(3))],
  ['probabilities that are NaN', draft(ids(3), ids(-1), { probabilities: [Number.NaN] })],
  ['probabilities above 1', draft(ids(3, 4), ids(-1, 0), { probabilities: Float32Array.of(0.5, 1.5) })],
  ['negative probabilities', draft(ids(3), ids(-1), { probabilities: [-0.1] })],
  ['too few probabilities', draft(ids(3, 4), ids(-1, 0), { probabilities: [0.5] })],
  ['no array of probabilities', draft(ids(3), ids(-1), { probabilities: null })],
];

describe('a draft that breaks the contract', () => {
  it('reads what a drafter says of itself once, and names it where telling its costs fails', async () => {
    let reads = 0;
    const moody = (field: string) => ({
      ...drafterOf({}),
      get [field](): unknown {
        if (reads++ > 0) throw new Error('a getter that throws later');
        return field === 'name' ? 'moody' : field === 'vocabulary' ? { size: SIZE, endTokenId: 0 } : undefined;
      },
    });
    for (const field of ['name', 'vocabulary', 'encoder']) {
      reads = 0;
      const decoder = speculative({ drafter: moody(field) as Drafter<number> });
      expect((await collect(decoder.decode(target(), { sources: [5] }))).type).toBe('decode-end');
    }
    const costly = {
      ...drafterOf({}),
      get costs(): never {
        throw new Error('no idea');
      },
    };
    expect(await failureOf(costly)).toMatchObject({
      code: 'INVALID_DRAFT',
      message: 'The drafter peer failed to tell its costs: no idea.',
    });
    for (const costs of [null, 3, { open: 1 }, { open: -1, propose: 0 }]) {
      expect(await failureOf({ ...drafterOf({}), costs } as never)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  });

  const named = {
    code: 'INVALID_DRAFT',
    message: expect.stringMatching(/^The drafter peer /),
    details: { drafter: 'peer' },
  };

  for (const [name, proposal] of BROKEN_DRAFTS) {
    it(`is INVALID_DRAFT, naming the drafter: ${name}`, async () => {
      for (const propose of [() => proposal, async () => proposal]) {
        const log = { disposed: 0 };
        const failure = await failureOf(drafterOf({ propose }, log));
        expect(ForetokenError.isInstance(failure)).toBe(true);
        expect(failure).toMatchObject({ ...named, details: expect.objectContaining(named.details) });
        expect(log.disposed).toBe(1);
      }
    });
  }

  it.each([
    ['no array', () => EMPTY_DRAFT],
    ['an array of one draft for two rows', () => [EMPTY_DRAFT]],
    ['an array of three', () => [EMPTY_DRAFT, EMPTY_DRAFT, EMPTY_DRAFT]],
    ['an empty array', () => []],
    ['an array with a hole', () => [EMPTY_DRAFT, undefined]],
    ['a string', () => '3,4'],
    ['nothing', () => undefined],
  ])('is INVALID_DRAFT where all rows get %s', async (_name, proposeAll) => {
    for (const answer of [proposeAll, async () => proposeAll()]) {
      expect(await failureOf(drafterOf({ proposeAll: answer }))).toMatchObject({ code: 'INVALID_DRAFT' });
    }
  });

  it('may be refused in any round and row', async () => {
    for (let bad = 0; bad < 8; bad++) {
      let calls = 0;
      const failure = await failureOf(drafterOf({ propose: () => (calls++ === bad ? { tokenIds: 3 } : EMPTY_DRAFT) }));
      expect(failure).toMatchObject({ code: 'INVALID_DRAFT' });
      // Both rows are asked about at once.
      expect(calls).toBe(2 * Math.floor(bad / 2) + 2);
    }
  });
});
