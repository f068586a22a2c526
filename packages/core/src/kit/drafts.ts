import type { DraftLimit, DraftTree } from '../contract/drafter.js';
import { integer, listOf, plainArray } from './options.js';

/** A draft without nodes: the round is then a plain step. */
export const EMPTY_DRAFT: DraftTree = { tokenIds: new Int32Array(0), parents: new Int32Array(0) };

const int32 = integer(-(2 ** 31), 2 ** 31 - 1);

/** A draft that is one path. Throws `INVALID_ARGUMENT` for anything but token ids. */
export function chainDraft(tokenIds: readonly number[] | Int32Array): DraftTree {
  return chainOf(Int32Array.from(listOf(int32)('tokenIds', plainArray('tokenIds', tokenIds))));
}

/** A draft that is one path of tokens that nobody else has. */
function chainOf(tokenIds: Int32Array): DraftTree {
  return { tokenIds, parents: Int32Array.from(tokenIds, (_, index) => index - 1) };
}

/** The first of `tokenIds` as one path: as many as the limit allows, and none from the end token on, which is never drafted. */
export function chainWithin(
  tokenIds: Int32Array,
  { nodes, depth }: DraftLimit,
  endTokenId: number | undefined,
): DraftTree {
  const within = tokenIds.subarray(0, Math.min(nodes, depth));
  const end = endTokenId === undefined ? -1 : within.indexOf(endTokenId);
  return chainOf(within.slice(0, end < 0 ? within.length : end));
}
