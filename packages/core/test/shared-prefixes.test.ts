import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SharedPrefixes } from '../src/runtime/shared-prefixes.js';

const BLOCK = 4;
/** Beginnings of few tokens, so that many are alike. */
const prefixes = fc.array(
  fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 30 }).map((tokens) => Int32Array.from(tokens)),
  { minLength: 1, maxLength: 12 },
);

describe('what prefixes have in common', () => {
  it('is the longest beginning of whole blocks that an earlier one has, all but two tokens at most, and the first that has it', () => {
    fc.assert(
      fc.property(prefixes, (rows) => {
        const shared = new SharedPrefixes(BLOCK, 2);
        for (const [row, prefix] of rows.entries()) {
          let expected: { donor: number; length: number } | undefined;
          for (let donor = 0; donor < row; donor++) {
            const other = rows[donor];
            let same = 0;
            while (same < Math.min(other.length, prefix.length) - 2 && other[same] === prefix[same]) same++;
            same -= same % BLOCK;
            if (same > (expected?.length ?? 0)) expected = { donor, length: same };
          }
          expect(shared.add(prefix)).toEqual(expected);
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('is not told by a hash alone', () => {
    // The second token makes up for what the first changes in the hash.
    const step = (hash: number, token: number): number => Math.imul(hash ^ token, 0x01000193);
    const begin = step(0x811c9dc5, -1);
    const [one, other] = [step(begin, 5), step(begin, 6)];
    const shared = new SharedPrefixes(2, 1);
    expect(shared.add(Int32Array.of(5, 7, 0))).toBeUndefined();
    expect(shared.add(Int32Array.of(6, 7 ^ one ^ other, 0))).toBeUndefined();
    expect(shared.add(Int32Array.of(5, 7, 1))).toEqual({ donor: 0, length: 2 });
  });
});
