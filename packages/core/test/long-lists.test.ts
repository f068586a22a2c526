import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { append, firstTwice, joinTokens, largest, smallest } from '../src/kit/index.js';

const LONG = 1_000_000;

describe('lists of any length', () => {
  it('give what a spread gives for short ones', () => {
    const numbers = fc.array(fc.double(), { maxLength: 20 });
    fc.assert(
      fc.property(numbers, fc.double(), (list, bound) => {
        expect(largest(list)).toBe(Math.max(...list));
        expect(smallest(list)).toBe(Math.min(...list));
        expect(largest(list, bound)).toBe(Math.max(bound, ...list));
        expect(smallest(list, bound)).toBe(Math.min(bound, ...list));
      }),
      { seed: 3 },
    );
    const tokens = fc.array(fc.nat(), { maxLength: 5 });
    fc.assert(
      fc.property(tokens, tokens, (one, other) => {
        expect(joinTokens(one, Int32Array.from(other))).toEqual(Int32Array.of(...one, ...other));
        const list = [...one];
        append(list, new Set(other));
        expect(list).toEqual([...one, ...new Set(other)]);
        const all = [...one, ...other];
        expect(firstTwice(all)).toBe(all.find((value, at) => all.indexOf(value) !== at));
      }),
      { seed: 4 },
    );
  });

  it('may be longer than a call takes arguments', () => {
    const long = new Int32Array(LONG).fill(7);
    long[LONG - 1] = 9;
    expect(largest(long)).toBe(9);
    expect(smallest(long)).toBe(7);
    expect(joinTokens([1], long).length).toBe(LONG + 1);
    const list: number[] = [];
    append(list, long);
    expect(list.length).toBe(LONG);
  });
});
