import { forwardParts, MAX_FORWARD_CELLS, maxScoredCells } from '@foretoken/core/kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('parts of a batch', () => {
  it('hold every item once, in order, and as many as fit', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(12), { maxLength: 40 }), fc.integer({ min: 1, max: 30 }), (lengths, maxCells) => {
        const parts = forwardParts(lengths, (length) => length, maxCells);
        expect(parts.flat()).toEqual(lengths);
        for (const [index, part] of parts.entries()) {
          expect(part.length === 1 || part.length * Math.max(...part) <= maxCells).toBe(true);
          const next = parts[index + 1]?.[0];
          if (next !== undefined) expect((part.length + 1) * Math.max(...part, next)).toBeGreaterThan(maxCells);
        }
      }),
      { seed: 1 },
    );
  });

  it('are of bounded cells by default, and fewer where each is scored over a large vocabulary', () => {
    const rows = new Array<number>(2 * MAX_FORWARD_CELLS).fill(1);
    expect(forwardParts(rows, (length) => length).map(({ length }) => length)).toEqual([
      MAX_FORWARD_CELLS,
      MAX_FORWARD_CELLS,
    ]);
    expect([1, 8192, 8200, 2 ** 23, 2 ** 30].map(maxScoredCells)).toEqual([1024, 1024, 1023, 1, 1]);
  });
});
