import type { CtcLattice, DraftLimit, DraftTree, EmitOptions, Lattice, LatticeModel } from '@foretoken/core';
import { proposeOne } from '@foretoken/testkit';
import type { TinyLattice } from '../../core/test/ctc-oracle.js';
import { type LatticeDrafterOptions, latticeDrafter } from '../src/index.js';

interface CountingModel extends LatticeModel<null> {
  readonly calls: EmitOptions[];
}

export function modelOf(
  lattices: readonly Lattice[],
  size: number,
  endTokenId: number,
  maxCandidates = 4,
): CountingModel {
  const calls: EmitOptions[] = [];
  return {
    calls,
    vocabulary: endTokenId < size ? { size, endTokenId } : { size },
    supports: { kind: lattices[0]?.kind ?? 'ctc', maxCandidates },
    async emit(sources, options = {}) {
      calls.push(options);
      return sources.map((_, row) => lattices[row] as CtcLattice);
    },
  };
}

export type Options = Omit<LatticeDrafterOptions<null>, 'model'>;

export async function propose(
  { lattice, vocabularySize }: TinyLattice,
  prefixes: readonly (readonly number[])[],
  options: Options = {},
  limit: DraftLimit = { nodes: 100, depth: 100 },
  endTokenId: number = vocabularySize,
): Promise<DraftTree> {
  const model = modelOf([lattice], vocabularySize, endTokenId);
  const session = await latticeDrafter({ model, shape: 'tree', ...options }).open([null], {});
  let draft: DraftTree | undefined;
  for (const prefix of prefixes) draft = await proposeOne(session, { row: 0, prefix: Int32Array.from(prefix), limit });
  return draft as DraftTree;
}

export function pathTo(draft: DraftTree, node: number): number[] {
  const path: number[] = [];
  for (let at = node; at >= 0; at = draft.parents[at]) path.unshift(draft.tokenIds[at]);
  return path;
}
