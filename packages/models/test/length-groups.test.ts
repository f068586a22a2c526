import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupsByLength } from '../src/drivers/length-groups.js';

const lengthsOf = fc.array(fc.nat(40), { minLength: 1, maxLength: 60 }).map((lengths) => Int32Array.from(lengths));

describe('groups of similar length', () => {
  it('hold every row once, the longest first, with little padding', () => {
    fc.assert(
      fc.property(lengthsOf, (lengths) => {
        const groups = groupsByLength(lengths);
        expect(groups.flat().sort((a, b) => a - b)).toEqual([...lengths.keys()]);
        const ordered = groups.flat().map((row) => lengths[row]);
        expect(ordered).toEqual([...lengths].sort((a, b) => b - a));
        for (const group of groups) {
          const longest = lengths[group[0]];
          const padding = group.reduce((sum, row) => sum + longest - lengths[row], 0);
          expect(padding).toBeLessThanOrEqual(8);
        }
      }),
    );
  });

  it('take a bounded number of positions, but for a row that is longer alone', () => {
    fc.assert(
      fc.property(lengthsOf, fc.integer({ min: 1, max: 100 }), (lengths, max) => {
        const groups = groupsByLength(lengths, max);
        expect(groups.flat()).toHaveLength(lengths.length);
        for (const group of groups) {
          const positions = group.length * lengths[group[0]];
          expect(group.length === 1 || positions <= max).toBe(true);
        }
      }),
    );
    expect(groupsByLength(Int32Array.of(10, 10, 10, 10, 10), 20)).toEqual([[0, 1], [2, 3], [4]]);
    expect(groupsByLength(Int32Array.of(0, 0), 1)).toEqual([[0, 1]]);
  });
});
