import type { DraftLimit, DraftTree } from '../contract/drafter.js';

/** A draft without nodes: the round is then a plain step. */
export const EMPTY_DRAFT: DraftTree = { tokenIds: new Int32Array(0), parents: new Int32Array(0) };

/** A draft that is one path. */
export function chainDraft(tokenIds: ArrayLike<number>): DraftTree {
  return {
    tokenIds: Int32Array.from(tokenIds),
    parents: Int32Array.from({ length: tokenIds.length }, (_, index) => index - 1),
  };
}

/** The first of `tokenIds` as one path: as many as the limit allows, and none from the end token on, which is never drafted. */
export function chainWithin(
  tokenIds: Int32Array,
  { nodes, depth }: DraftLimit,
  endTokenId: number | undefined,
): DraftTree {
  const within = tokenIds.subarray(0, Math.min(nodes, depth));
  const end = endTokenId === undefined ? -1 : within.indexOf(endTokenId);
  return chainDraft(end < 0 ? within : within.subarray(0, end));
}
