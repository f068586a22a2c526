import type { CtcLattice, DraftTree, LatticeModel } from '@foretoken/core';
import type { LanguageModel } from '@foretoken/language-models';
import { proposeOne } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyTinyLattice, tinyLattice } from '../../core/test/ctc-oracle.js';
import { type LatticeDrafterOptions, latticeDrafter } from '../src/index.js';

function modelOf(lattice: CtcLattice, size: number): LatticeModel<null> {
  return {
    vocabulary: { size },
    supports: { kind: 'ctc', maxCandidates: 4 },
    emit: async (sources) => sources.map(() => lattice),
  };
}

/** Prefers a token that differs from the one before; counts the states that are asked for. */
function countedPairs(): { readonly model: LanguageModel<number>; readonly counts: { next: number } } {
  const counts = { next: 0 };
  const model: LanguageModel<number> = {
    start: () => -1,
    score: (last, tokenId) => (tokenId === last ? -2 : -1),
    next: (_, tokenId) => {
      counts.next++;
      return tokenId;
    },
    end: () => -1,
  };
  return { model, counts };
}

const sessionOf = (lattice: CtcLattice, size: number, options: Omit<LatticeDrafterOptions<null>, 'model'>) =>
  latticeDrafter({ model: modelOf(lattice, size), minProbability: 0.01, ...options }).open([null], {});

const listed = ({ tokenIds, parents, probabilities }: DraftTree) => [[...tokenIds], [...parents], probabilities];

describe('a lattice drafter that keeps what it computed', () => {
  it('drafts after any prefixes in turn as a new session does, to the last bit', async () => {
    const steps = fc.array(fc.record({ accepted: fc.nat(5), token: fc.nat(5), jump: fc.nat(7) }), { maxLength: 8 });
    const shapes = fc.constantFrom('chain' as const, 'tree' as const);
    await fc.assert(
      fc.asyncProperty(anyTinyLattice, steps, shapes, fc.boolean(), async (tiny, turns, shape, ranked) => {
        const { lattice, vocabularySize: size } = tiny;
        const options = { shape, languageModel: ranked ? { model: countedPairs().model } : undefined };
        const kept = await sessionOf(lattice, size, options);
        let prefix: number[] = [];
        for (const { accepted, token, jump } of turns) {
          const request = { row: 0, prefix: Int32Array.from(prefix), limit: { nodes: 6, depth: 4 } };
          const draft = await proposeOne(kept, request);
          expect(listed(draft)).toEqual(listed(await proposeOne(await sessionOf(lattice, size, options), request)));
          // As a target may: some of a path is accepted and a token follows; seldom the prefix is another one.
          if (jump === 0) prefix = prefix.slice(1);
          for (let node = 0, last = -1; node < Math.min(accepted, draft.tokenIds.length); node++) {
            if (draft.parents[node] !== last) continue;
            prefix.push(draft.tokenIds[node]);
            last = node;
          }
          if (accepted % 2 === 0) prefix.push(token % size);
        }
      }),
      { numRuns: 200, seed: 17 },
    );
  });

  it('asks for the state after an accepted token once', async () => {
    const rows = [0, 1, 2, 3].map((token) => [0, 1, 2, 3, 4].map((id) => (id === token ? 0.96 : 0.01)));
    const { lattice, vocabularySize } = tinyLattice(rows, 4, 5);
    const { model, counts } = countedPairs();
    const session = await sessionOf(lattice, vocabularySize, { languageModel: { model, weight: 0.1 } });
    const limit = { nodes: 4, depth: 4 };
    const draft = await proposeOne(session, { row: 0, prefix: new Int32Array(), limit });
    expect([...draft.tokenIds]).toEqual([0, 1, 2, 3]);
    // Nothing grows below the last node.
    expect(counts.next).toBe(3);
    await proposeOne(session, { row: 0, prefix: Int32Array.of(0, 1, 2), limit: { nodes: 1, depth: 1 } });
    expect(counts.next).toBe(3);
    await proposeOne(session, { row: 0, prefix: Int32Array.of(0, 1, 2, 3), limit: { nodes: 1, depth: 1 } });
    expect(counts.next).toBe(4);
  });
});
