import type { DraftTree } from '@foretoken/core';
import fc from 'fast-check';

/** Valid drafts of up to 12 nodes over token ids below `size`: any shape, siblings differ. */
export function anyDraft(size: number): fc.Arbitrary<DraftTree> {
  const node = fc.record({ up: fc.nat(11), tokenId: fc.nat(size - 1) });
  return fc.array(node, { maxLength: 12 }).map((nodes) => {
    const tokenIds: number[] = [];
    const parents: number[] = [];
    for (const { up, tokenId } of nodes) {
      const parent = Math.max(tokenIds.length - 1 - up, -1);
      if (tokenIds.some((other, index) => other === tokenId && parents[index] === parent)) continue;
      tokenIds.push(tokenId);
      parents.push(parent);
    }
    return { tokenIds: Int32Array.from(tokenIds), parents: Int32Array.from(parents) };
  });
}
