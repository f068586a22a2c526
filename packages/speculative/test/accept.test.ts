import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agreedPath, decidingNodes } from '../src/accept.js';
import { anyDraft } from './any-draft.js';

describe('agreedPath', () => {
  it('follows the tokens that the target chooses, and stops at the first disagreement', () => {
    // 0:5 -> 1:6 -> 3:8, with 2:7 beside 1 and 4:9 beside 3.
    const draft = { tokenIds: Int32Array.of(5, 6, 7, 8, 9), parents: Int32Array.of(-1, 0, 0, 1, 1) };
    expect(agreedPath(draft, Int32Array.of(5, 7, 0, 0, 0, 0), 1)).toEqual([0, 2]);
    expect(agreedPath(draft, Int32Array.of(5, 6, 9, 0, 0, 0), 1)).toEqual([0, 1, 4]);
    expect(agreedPath(draft, Int32Array.of(4, 6, 9, 0, 0, 0), 1)).toEqual([]);
  });

  it('is the longest of all root paths whose every token is the choice after its parent', () => {
    fc.assert(
      fc.property(
        anyDraft(4),
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 30, maxLength: 30 }),
        fc.nat(3),
        (draft, choices, shift) => {
          const first = 1 + shift;
          const chosen = Int32Array.from(choices);
          let longest: number[] = [];
          draft.tokenIds.forEach((_, leaf) => {
            const path: number[] = [];
            for (let node = leaf; node >= 0; node = draft.parents[node]) path.unshift(node);
            const agrees = path.every((node) => draft.tokenIds[node] === chosen[first + draft.parents[node]]);
            if (agrees && path.length > longest.length) longest = path;
          });
          expect(agreedPath(draft, chosen, first)).toEqual(longest);
        },
      ),
    );
  });
});

describe('decidingNodes', () => {
  it('begins with the node the draft hangs from and ends with the deepest accepted one', () => {
    expect(decidingNodes([0, 2], 3)).toEqual([2, 3, 5]);
    expect(decidingNodes([], 1)).toEqual([0]);
  });
});
