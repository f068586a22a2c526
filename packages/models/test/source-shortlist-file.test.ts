import { ForetokenError } from '@foretoken/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSourceShortlist, type SourceShortlist } from '../src/drivers/source-shortlist.js';

const PLACE = { folder: 'folder', file: 'source-shortlist.bin' };
const SIZES = { vocabularySize: 20, sourceVocabularySize: 3, endTokenId: 0 };

const bytesOf = (...lists: readonly (readonly number[])[]): Uint8Array =>
  new Uint8Array(Int32Array.from([...lists.map(({ length }) => length), ...lists.flat()]).buffer);
const read = (bytes: Uint8Array, multipleOf = 4): SourceShortlist =>
  readSourceShortlist(bytes, PLACE, multipleOf, SIZES);

const COMMON = [0, 1];
const OFFSETS = [0, 2, 2, 4];
const IDS = [9, 17, 9, 5];

describe('a shortlist by source tokens', () => {
  it('gives what is common and what each token of a source lists, filled up with the lowest ids that are missing', () => {
    const shortlist = read(bytesOf(COMMON, OFFSETS, IDS));
    expect([...shortlist.of(Int32Array.of(0))]).toEqual([0, 1, 9, 17]);
    expect([...shortlist.of(Int32Array.of(1, 1))]).toEqual([0, 1, 2, 3]);
    expect([...shortlist.of(Int32Array.of(2, 0, 2))]).toEqual([0, 1, 2, 3, 4, 5, 9, 17]);
    expect([...read(bytesOf(COMMON, OFFSETS, IDS), 64).of(Int32Array.of(2))]).toEqual([...Array(20).keys()]);
  });

  it('lists as a set does that is filled up, whatever the lists', () => {
    const id = fc.integer({ min: 0, max: 19 });
    const lists = fc.array(fc.array(id, { maxLength: 9 }), { minLength: 3, maxLength: 3 });
    const source = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(lists, fc.array(id), source, fc.integer({ min: 2, max: 9 }), (own, more, tokens, multipleOf) => {
        const offsets = [0, 1, 2, 3].map((row) => own.slice(0, row).flat().length);
        const listed = new Set([0, ...more, ...tokens.flatMap((token) => own[token])]);
        for (let next = 0; next < 20 && listed.size % multipleOf !== 0; next++) listed.add(next);
        const shortlist = read(bytesOf([0, ...more], offsets, own.flat()), multipleOf);
        expect([...shortlist.of(Int32Array.from(tokens))]).toEqual([...listed].sort((a, b) => a - b));
      }),
      { seed: 5 },
    );
  });

  it.each([
    ['is empty', new Uint8Array(), 'file size'],
    ['ends in its counts', bytesOf(COMMON, OFFSETS, IDS).subarray(0, 10), 'file size'],
    ['ends early', bytesOf(COMMON, OFFSETS, IDS).subarray(0, 44), 'file size'],
    ['counts more than there is', bytesOf(COMMON, OFFSETS, IDS).fill(255, 0, 4), 'file size'],
    ['has a common token which is none', bytesOf([0, 20], OFFSETS, IDS), 'common'],
    ['has a negative token', bytesOf(COMMON, OFFSETS, [9, -1, 9, 5]), 'tokenIds'],
    ['lacks the end token', bytesOf([1, 2], OFFSETS, IDS), 'common'],
    ['is of other source tokens', bytesOf(COMMON, [0, 4], IDS), 'offsets'],
    ['has offsets that begin late', bytesOf(COMMON, [1, 2, 2, 4], IDS), 'offsets.0'],
    ['has offsets that go back', bytesOf(COMMON, [0, 3, 2, 4], IDS), 'offsets.2'],
    ['has offsets that lie outside', bytesOf(COMMON, [0, 5, 2, 4], IDS), 'offsets.1'],
    ['has offsets that end early', bytesOf(COMMON, [0, 2, 2, 3], IDS), 'offsets.3'],
  ] as const)('that %s is refused', (_, bytes, field) => {
    const refused = (): unknown => read(bytes);
    expect(refused).toThrow(ForetokenError);
    expect(refused).toThrow(expect.objectContaining({ code: 'INVALID_MODEL_FOLDER' }));
    try {
      refused();
    } catch (error) {
      expect((error as ForetokenError).details).toMatchObject({ file: PLACE.file, field });
    }
  });
});
