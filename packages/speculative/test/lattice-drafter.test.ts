import type {
  CtcLattice,
  DagLattice,
  DraftLimit,
  DraftTree,
  EmitOptions,
  Lattice,
  LatticeModel,
} from '@foretoken/core';
import type { LanguageModel } from '@foretoken/language-models';
import { proposeOne } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  anyTinyLattice,
  outputProbabilities,
  prefixProbability,
  type TinyLattice,
  tinyLattice,
} from '../../core/test/ctc-oracle.js';
import { type LatticeDrafterOptions, latticeDrafter } from '../src/index.js';

interface CountingModel extends LatticeModel<null> {
  readonly calls: EmitOptions[];
}

function modelOf(lattices: readonly Lattice[], size: number, endTokenId: number, maxCandidates = 4): CountingModel {
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

type Options = Omit<LatticeDrafterOptions<null>, 'model'>;

async function propose(
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

function pathTo(draft: DraftTree, node: number): number[] {
  const path: number[] = [];
  for (let at = node; at >= 0; at = draft.parents[at]) path.unshift(draft.tokenIds[at]);
  return path;
}

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

const BLANK = 0;
/** Frames that are sure of 1, then 2, then 3, blanks between. */
const SURE: TinyLattice = tinyLattice(
  [1, BLANK, 2, BLANK, 3, BLANK].map((label) => Array.from({ length: 10 }, (_, id) => (id === label ? 991 : 1))),
  BLANK,
  4,
);

describe('latticeDrafter', () => {
  it('goes on after a token that the lattice did not expect', async () => {
    expect([...(await propose(SURE, [[]])).tokenIds]).toEqual([1, 2, 3]);
    // 7 may stand for 2, or have come in between: both are offered.
    const draft = await propose(SURE, [[], [1, 7]]);
    expect(Array.from(draft.tokenIds, (_, node) => pathTo(draft, node).join()).sort()).toEqual(['2', '2,3', '3']);
    expect((await propose(SURE, [[1, 2, 3]])).tokenIds).toHaveLength(0);
  });

  it('proposes nothing where no alignment fits the prefix', async () => {
    expect((await propose(SURE, [[1, 1, 1, 1, 1, 1, 1]])).tokenIds).toHaveLength(0);
  });

  it('never proposes the end token or anything after it', async () => {
    expect([...(await propose(SURE, [[]], {}, undefined, 2)).tokenIds]).toEqual([1]);
  });

  it('keeps within the limits', async () => {
    expect((await propose(SURE, [[]], {}, { nodes: 2, depth: 9 })).tokenIds).toHaveLength(2);
    expect((await propose(SURE, [[]], {}, { nodes: 9, depth: 1 })).tokenIds).toHaveLength(1);
    expect((await propose(SURE, [[]], { maxNodes: 2 })).tokenIds).toHaveLength(2);
  });

  it('leaves out what the decoder says is too improbable to pay', async () => {
    const limit = { nodes: 9, depth: 9 };
    const paths = (await propose(SURE, [[]], {}, limit)).probabilities as Float32Array;
    const two = paths[0] * paths[1];
    expect((await propose(SURE, [[]], {}, { ...limit, minProbability: two - 1e-6 })).tokenIds).toHaveLength(2);
    expect((await propose(SURE, [[]], {}, { ...limit, minProbability: 1 })).tokenIds).toHaveLength(0);
  });

  it('proposes a chain of the best of four candidates a frame, unless told otherwise', async () => {
    const model = modelOf([SURE.lattice], 10, 9, 16);
    const session = await latticeDrafter({ model, minProbability: 0.001 }).open([null], {});
    const request = { row: 0, prefix: Int32Array.of(), limit: { nodes: 9, depth: 9 } };
    const { tokenIds, parents } = await proposeOne(session, request);
    expect([...tokenIds.subarray(0, 3)]).toEqual([1, 2, 3]);
    expect([...parents]).toEqual([...tokenIds.keys()].map((node) => node - 1));
    expect(model.calls).toEqual([{ k: 4 }]);
  });

  it('runs its model once for all rows, with candidates capped at what the model has', async () => {
    const model = modelOf([SURE.lattice, SURE.lattice], 10, 9, 4);
    const session = await latticeDrafter({ model }).open([null, null], {});
    const limit = { nodes: 3, depth: 3 };
    const drafts = await session.propose([
      { row: 1, prefix: Int32Array.of(), limit },
      { row: 0, prefix: Int32Array.of(1), limit },
    ]);
    expect(drafts.map(({ tokenIds }) => [...tokenIds])).toEqual([
      [1, 2, 3],
      [2, 3],
    ]);
    expect(model.calls).toEqual([{ k: 4 }]);
    expect(session.forwards).toBe(1);
  });

  it('refuses a DAG model and options out of range before any compute', () => {
    const dag = { kind: 'dag' } as DagLattice;
    expect(() => latticeDrafter({ model: modelOf([dag], 10, 9) })).toThrowError(
      expect.objectContaining({ code: 'UNSUPPORTED_CAPABILITY', message: expect.stringContaining('dag') }),
    );
    const model = modelOf([SURE.lattice], 10, 9);
    const wrong: Options[] = [{ candidates: 0 }, { maxNodes: 0 }, { minProbability: 2 }];
    for (const options of [...wrong, { shape: 'bush' as 'tree' }]) {
      expect(() => latticeDrafter({ model, ...options })).toThrowError(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
  });
});

describe('a lattice with scores that are none', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY])('is refused where it says %s, by row and frame', async (wrong) => {
    const sound = (): CtcLattice => ({
      kind: 'ctc',
      frames: 3,
      k: 2,
      blankId: 4,
      tokenIds: Int32Array.of(1, 2, 2, 3, 1, 3),
      logProbs: Float32Array.of(-1, -2, -1, Number.NEGATIVE_INFINITY, -1, -2),
      blankLogProbs: Float32Array.of(-3, Number.NEGATIVE_INFINITY, -3),
    });
    await latticeDrafter({ model: modelOf([sound(), sound()], 5, 0) }).open([null, null], {});
    for (const field of ['logProbs', 'blankLogProbs'] as const) {
      for (let at = 0; at < sound()[field].length; at++) {
        const broken = sound();
        broken[field][at] = wrong;
        const position = field === 'logProbs' ? at >> 1 : at;
        await expect(
          latticeDrafter({ model: modelOf([sound(), broken], 5, 0) }).open([null, null], {}),
        ).rejects.toMatchObject({ code: 'INVALID_SCORES', details: { row: 1, position } });
      }
    }
  });

  it('is refused where a frame leaves nothing possible, however many labels it lists', async () => {
    const never = Number.NEGATIVE_INFINITY;
    for (const k of [1, 4]) {
      const frames = (second: number): CtcLattice => ({
        kind: 'ctc',
        frames: 2,
        k,
        blankId: 4,
        tokenIds: Int32Array.from({ length: 2 * k }, (_, cell) => cell % k),
        logProbs: Float32Array.from({ length: 2 * k }, (_, cell) => (cell < k ? -2 : second)),
        blankLogProbs: Float32Array.of(-1, second),
      });
      await expect(
        latticeDrafter({ model: modelOf([frames(-2), frames(never)], 5, 0) }).open([null, null], {}),
      ).rejects.toMatchObject({ code: 'UNSATISFIABLE_CONSTRAINT', details: { row: 1, position: 1 } });
    }
  });
});

describe('a language model beside the lattice', () => {
  it('is asked about what follows the whole prefix, and from its beginning after another', async () => {
    const asked = new Set<string>();
    const model: LanguageModel<readonly number[]> = {
      start: () => [],
      next: (state, tokenId) => [...state, tokenId],
      score: (state) => {
        asked.add(state.join());
        return -1;
      },
      end: () => -1,
    };
    const weights = [
      [0.1, 0.5, 0.4],
      [0.2, 0.4, 0.4],
      [0.2, 0.3, 0.5],
    ];
    const tiny = tinyLattice(weights, 0, 3);
    const options = { languageModel: { model, weight: 0.5 }, minProbability: 0.01 };
    for (const prefixes of [[[1]], [[1], [1, 2]], [[1], [2]]]) {
      const last = (prefixes.at(-1) as number[]).join();
      asked.clear();
      await propose(tiny, prefixes, options);
      expect([...asked]).toContain(last);
      asked.clear();
      await propose(tiny, prefixes.slice(-1), options);
      expect([...asked].every((state) => `${state},`.startsWith(`${last},`))).toBe(true);
    }
  });
});
