import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  anyTinyLattice,
  outputProbabilities,
  prefixProbability,
  type TinyLattice,
} from '../../core/test/ctc-oracle.js';
import { pathTo, propose } from './tiny-drafts.js';

/** All continuations of a prefix with their conditional probabilities, by enumeration; the prefix itself not included. */
function conditionals(tiny: TinyLattice, prefix: readonly number[]): Map<string, number> {
  const outputs = outputProbabilities(tiny);
  const whole = prefixProbability(outputs, prefix);
  const result = new Map<string, number>();
  for (const output of outputs.keys()) {
    const tokens = output === '' ? [] : output.split(',').map(Number);
    for (let length = prefix.length + 1; length <= tokens.length; length++) {
      const path = tokens.slice(0, length);
      if (!prefix.every((tokenId, index) => path[index] === tokenId)) continue;
      const key = path.slice(prefix.length).join();
      if (!result.has(key)) result.set(key, prefixProbability(outputs, path) / whole);
    }
  }
  return result;
}

describe('latticeDrafter against enumeration on tiny lattices', () => {
  it('proposes exactly the paths at least as probable as asked, given the accepted prefix', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyTinyLattice,
        fc.array(fc.nat(3), { maxLength: 2 }),
        fc.constantFrom(0.05, 0.1, 0.3),
        async (tiny, anyPrefix, minProbability) => {
          const { lattice, vocabularySize } = tiny;
          const prefix = anyPrefix.filter((tokenId) => tokenId < vocabularySize && tokenId !== lattice.blankId);
          fc.pre(prefixProbability(outputProbabilities(tiny), prefix) > 0);
          const known = new Set(lattice.tokenIds);
          const expected = [...conditionals(tiny, prefix)]
            // Tokens that no frame names, and paths through them, are not offered.
            .filter(([path]) => path.split(',').every((tokenId) => known.has(Number(tokenId))))
            .filter(([, probability]) => Math.abs(probability - minProbability) > 1e-6);
          const draft = await propose(tiny, [prefix], { minProbability });
          const offered = Array.from(draft.tokenIds, (_, node) => pathTo(draft, node).join());
          for (const [path, probability] of expected) {
            expect(offered.includes(path)).toBe(probability > minProbability);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('says of each node how probable it is after its parent, so that a path multiplies to its own probability', async () => {
    await fc.assert(
      fc.asyncProperty(anyTinyLattice, async (tiny) => {
        const expected = conditionals(tiny, []);
        const { probabilities, ...draft } = await propose(tiny, [[]], { minProbability: 0.05 });
        const paths: number[] = [];
        for (const [node, own] of (probabilities ?? new Float32Array()).entries()) {
          paths[node] = own * (paths[draft.parents[node]] ?? 1);
          expect(paths[node]).toBeCloseTo(expected.get(pathTo(draft, node).join()) as number, 4);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('drafts the same whatever it drafted for before, also for as long a prefix', async () => {
    const anyPrefix = fc.array(fc.nat(3), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(
        anyTinyLattice,
        fc.array(anyPrefix, { minLength: 1, maxLength: 3 }),
        anyPrefix,
        async (tiny, before, last) => {
          const spoken = (prefix: readonly number[]): number[] =>
            prefix.filter((tokenId) => tokenId < tiny.vocabularySize && tokenId !== tiny.lattice.blankId);
          const fresh = await propose(tiny, [spoken(last)]);
          expect(await propose(tiny, [...before.map(spoken), spoken(last)])).toEqual(fresh);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('adds the most probable nodes first, so a smaller limit gives a prefix of the same draft', async () => {
    await fc.assert(
      fc.asyncProperty(anyTinyLattice, fc.integer({ min: 1, max: 6 }), async (tiny, nodes) => {
        const all = await propose(tiny, [[]], { minProbability: 0.01 });
        const some = await propose(tiny, [[]], { minProbability: 0.01 }, { nodes, depth: 100 });
        expect(some.tokenIds).toEqual(all.tokenIds.slice(0, nodes));
        const truth = conditionals(tiny, []);
        const probabilities = Array.from(all.tokenIds, (_, node) => truth.get(pathTo(all, node).join()) as number);
        probabilities.forEach((probability, node) => {
          expect(probability).toBeLessThanOrEqual((probabilities[node - 1] ?? 1) + 1e-9);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('follows the best child only when asked for a chain', async () => {
    await fc.assert(
      fc.asyncProperty(anyTinyLattice, async (tiny) => {
        const draft = await propose(tiny, [[]], { shape: 'chain', minProbability: 0.05 });
        expect([...draft.parents]).toEqual([...draft.tokenIds.keys()].map((node) => node - 1));
        const truth = conditionals(tiny, []);
        const known = new Set(tiny.lattice.tokenIds);
        draft.tokenIds.forEach((_, node) => {
          const path = pathTo(draft, node);
          const siblings = [...truth].filter(([key]) => {
            const tokens = key.split(',');
            const sibling = tokens.length === path.length && tokens.slice(0, -1).join() === path.slice(0, -1).join();
            return sibling && known.has(Number(tokens.at(-1)));
          });
          const max = Math.max(...siblings.map(([, probability]) => probability));
          expect(truth.get(path.join())).toBeCloseTo(max, 6);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('gives the same draft whether the prefix came token by token or at once', async () => {
    await fc.assert(
      fc.asyncProperty(anyTinyLattice, fc.array(fc.nat(3), { maxLength: 3 }), async (tiny, anyPrefix) => {
        const prefix = anyPrefix.filter((tokenId) => tokenId < tiny.vocabularySize);
        const steps = prefix.map((_, index) => prefix.slice(0, index + 1));
        expect(await propose(tiny, [[], ...steps])).toEqual(await propose(tiny, [prefix]));
      }),
      { numRuns: 60 },
    );
  });
});
