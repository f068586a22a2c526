import { collect, type Decoder, type LatticeModel, type TokenSource } from '@foretoken/core';
import { NgramModel } from '@foretoken/language-models';
import {
  type DagViterbiOptions,
  dagBeam,
  dagGreedy,
  dagJointViterbi,
  dagLookahead,
  dagSampling,
  dagViterbi,
} from '@foretoken/one-shot';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Derivation,
  dagLattice,
  decodeDag,
  everyDerivation,
  randomDag,
  type ScriptedDag,
  scriptedDagModel,
  sums,
} from './dag-scripted.js';

const VERTICES = 5;
const VOCABULARY = 4;
const SOURCE = Int32Array.of(1, 2);

const decode = (decoder: Decoder<LatticeModel<TokenSource>>, dag: ScriptedDag) => decodeDag(decoder, dag, VOCABULARY);

const dags = fc
  .record({ seed: fc.integer({ min: 0, max: 1e6 }), sparsity: fc.constantFrom(0, 0.5, 0.9) })
  .map(({ seed, sparsity }) => randomDag(seed, VERTICES, VOCABULARY, sparsity));

function derivations(dag: ScriptedDag, k = VOCABULARY): Derivation[] {
  return everyDerivation(dagLattice(dag, k));
}

const bestOf = <Item>(items: readonly Item[], score: (item: Item) => number): Item =>
  items.reduce((best, item) => (score(item) > score(best) ? item : best));

/** Holds a property on 60 random DAGs, the same ones each time. */
const forDags = (property: (dag: ScriptedDag) => Promise<void>, seed = 20_260_101): Promise<void> =>
  fc.assert(fc.asyncProperty(dags, property), { numRuns: 60, seed });

describe('dagGreedy and dagLookahead', () => {
  const rowOf = (values: Float32Array, row: number, width: number) => values.slice(row * width, (row + 1) * width);

  /** The definition: choose the next vertex by `value`, then the best token of each. */
  function walk(dag: ScriptedDag, value: (edge: number, tokenLogProb: number) => number) {
    const { tokenIds, logProbs, transitions } = dagLattice(dag, 1);
    const path = [0];
    let logProb = logProbs[0];
    while (path.at(-1) !== VERTICES - 1) {
      const edges = rowOf(transitions, path.at(-1) as number, VERTICES);
      const to = bestOf([...edges.keys()], (to) => value(edges[to], logProbs[to]));
      logProb += edges[to] + logProbs[to];
      path.push(to);
    }
    return { tokenIds: path.map((vertex) => tokenIds[vertex]), logProb };
  }

  it('follow the best edge, or the best edge and token', async () => {
    let differ = 0;
    await forDags(async (dag) => {
      const greedy = walk(dag, (edge) => edge);
      const lookahead = walk(dag, (edge, token) => edge + token);
      const [byEdge] = await decode(dagGreedy(), dag);
      const [byBoth] = await decode(dagLookahead(), dag);
      expect([...(byEdge?.tokenIds ?? [])]).toEqual(greedy.tokenIds);
      expect(byEdge?.score).toBeCloseTo(greedy.logProb, 5);
      expect([...(byBoth?.tokenIds ?? [])]).toEqual(lookahead.tokenIds);
      expect(byBoth?.score).toBeCloseTo(lookahead.logProb, 5);
      if (String(greedy.tokenIds) !== String(lookahead.tokenIds)) differ++;
      // Among any 60 DAGs there may be none on which the two differ.
    }, 1);
    expect(differ).toBeGreaterThan(0);
  });

  it('never walk into a dead end', async () => {
    const no = Number.NEGATIVE_INFINITY;
    const say = (tokenId: number) => Float32Array.from({ length: VOCABULARY }, (_, id) => (id === tokenId ? 5 : 0));
    // The best edge leads to vertex 1, which leads nowhere.
    const dag = {
      emissions: [say(0), say(1), say(2), say(3)],
      edges: [
        [no, 9, 0, no],
        [no, no, no, no],
        [no, no, no, 0],
        [no, no, no, no],
      ],
    };
    for (const decoder of [
      dagGreedy(),
      dagLookahead(),
      dagViterbi(),
      dagJointViterbi(),
      dagBeam({ candidates: 1 }),
      dagSampling({ candidates: 1 }),
    ]) {
      expect([...((await decode(decoder, dag))[0]?.tokenIds ?? [])], decoder.name).toEqual([0, 2, 3]);
    }
  });
});

describe('dagViterbi and dagJointViterbi', () => {
  const cases = [
    { name: 'dagViterbi', make: (options: DagViterbiOptions) => dagViterbi(options), by: 'pathLogProb' },
    { name: 'dagJointViterbi', make: (options: DagViterbiOptions) => dagJointViterbi(options), by: 'logProb' },
  ] as const;
  for (const { name, make, by } of cases) {
    it(`${name} finds the best path of all lengths after the penalty`, async () => {
      await forDags(async (dag) => {
        const all = derivations(dag);
        for (const lengthPenalty of [-1, 0, 1, 2]) {
          const score = (one: Derivation) => one[by] / one.vertices.length ** lengthPenalty;
          const [found] = await decode(make({ lengthPenalty }), dag);
          expect(found?.score).toBeCloseTo(score(bestOf(all, score)), 5);
        }
      });
    });

    it(`${name} finds the best path of each length, and says where there is none`, async () => {
      await forDags(async (dag) => {
        const all = derivations(dag);
        for (let length = 1; length <= VERTICES + 1; length++) {
          const fitting = all.filter(({ vertices }) => vertices.length === length);
          if (fitting.length === 0) {
            await expect(decode(make({ length }), dag)).rejects.toMatchObject({ code: 'UNSATISFIABLE_CONSTRAINT' });
            continue;
          }
          // Among derivations with equal paths the one with the best tokens.
          const best = bestOf(fitting, (one) => one[by] + 1e-9 * one.logProb);
          const [found] = await decode(make({ length }), dag);
          expect(found?.score).toBeCloseTo(best[by], 5);
          expect(found?.logProb).toBeCloseTo(best.logProb, 5);
          expect([...(found?.tokenIds ?? [])]).toEqual(best.tokenIds);
        }
      });
    });
  }
});

describe('dagBeam', () => {
  const WIDE = 1024;

  it('is the exact sum over paths when it never prunes', async () => {
    let merged = 0;
    await forDags(async (dag) => {
      const all = derivations(dag);
      const exact = sums(all);
      if (exact.size < all.length) merged++;
      const hypotheses = await decode(
        dagBeam({ beamSize: WIDE, hypotheses: WIDE, candidates: VOCABULARY, lengthPenalty: 0 }),
        dag,
      );
      expect(hypotheses.length).toBe(Math.min(exact.size, WIDE));
      const ranked = [...exact.values()].sort((a, b) => b.logProb - a.logProb);
      const errors = hypotheses.map(({ tokenIds, logProb = 0, score = 0 }, rank) => {
        const sum = exact.get(String(tokenIds))?.logProb ?? Number.NaN;
        return Math.max(Math.abs(logProb - sum), Math.abs(logProb - ranked[rank]?.logProb), score - logProb);
      });
      expect(Math.max(...errors)).toBeLessThan(1e-8);
    });
    expect(merged).toBeGreaterThan(10);
  });

  const random = (size: number, seed: number) =>
    Float32Array.from({ length: size }, (_, index) => 0.1 + (((index + 1) * 7919 * (seed + 1)) % 89) / 100);
  const PAIRS = 12;
  const tables = {
    unigramProbability: random(VOCABULARY, 1),
    unigramBackoff: random(VOCABULARY, 2),
    bigramIds: Int32Array.from({ length: 2 * PAIRS }, (_, index) => (index % 2 === 0 ? (index >> 1) % 4 : index >> 3)),
    bigramProbability: random(PAIRS, 3),
    bigramBackoff: random(PAIRS, 4),
    trigramIds: Int32Array.of(3, 3, 1, 3, 1, 2, 1, 2, 2),
    trigramProbability: Float32Array.of(0.9, 0.8, 0.7),
  };
  const ngrams = new NgramModel(tables, { endTokenId: -1 });
  /** From the definition: every token after the two before it, the model's start before the first. */
  const fluency = (tokenIds: readonly number[]): number => {
    const padded = [ngrams.startTokenId, ngrams.startTokenId, ...tokenIds];
    return tokenIds.reduce(
      (sum, tokenId, place) => sum + Math.log(ngrams.probability(padded[place], padded[place + 1], tokenId)),
      0,
    );
  };

  it('ranks by lattice and n-grams over the length, and stops early only where nothing can change', async () => {
    let changed = 0;
    await forDags(async (dag) => {
      for (const lengthPenalty of [-0.5, 0, 1, 1.5]) {
        const weight = 0.7;
        const rank = ({ tokenIds, logProb }: { tokenIds: readonly number[]; logProb: number }) =>
          (logProb + weight * fluency(tokenIds)) / tokenIds.length ** lengthPenalty;
        const exact = [...sums(derivations(dag)).values()];
        const best = bestOf(exact, rank);
        const options = { beamSize: WIDE, candidates: VOCABULARY, lengthPenalty };
        const [found] = await decode(dagBeam({ ...options, languageModel: { model: ngrams, weight } }), dag);
        expect(found?.score).toBeCloseTo(rank(best), 6);
        expect(found?.logProb).toBeCloseTo(best.logProb, 6);
        const [plain] = await decode(dagBeam(options), dag);
        const unfused = bestOf(exact, ({ tokenIds, logProb }) => logProb / tokenIds.length ** lengthPenalty);
        expect([...(plain?.tokenIds ?? [])]).toEqual(unfused.tokenIds);
        if (String(best.tokenIds) !== String(unfused.tokenIds)) changed++;
      }
    });
    expect(changed).toBeGreaterThan(10);
  });

  it('keeps the start token out of the n-gram history and the output', async () => {
    await forDags(async (dag) => {
      // Vertex 0 says token 3 and nothing else.
      const start = Float32Array.of(-1e9, -1e9, -1e9, 0);
      const begun = { ...dag, emissions: [start, ...dag.emissions.slice(1)] };
      const rank = ({ tokenIds, logProb }: { tokenIds: readonly number[]; logProb: number }) =>
        (logProb + 0.1 * fluency(tokenIds.slice(1))) / tokenIds.length;
      const best = bestOf([...sums(derivations(begun)).values()], rank);
      const [found] = await decode(
        dagBeam({ beamSize: WIDE, candidates: VOCABULARY, languageModel: { model: ngrams }, startTokenId: 3 }),
        begun,
      );
      expect([...(found?.tokenIds ?? [])]).toEqual(best.tokenIds.slice(1));
      expect(found?.score).toBeCloseTo(rank(best), 6);
    });
  });

  it('never finds more than there is when it prunes', async () => {
    await forDags(async (dag) => {
      const exact = sums(derivations(dag, 2));
      for (const beamSize of [1, 3]) {
        const hypotheses = await decode(dagBeam({ beamSize, hypotheses: beamSize, candidates: 2 }), dag);
        expect(hypotheses.length).toBeGreaterThan(0);
        for (const { tokenIds, logProb } of hypotheses) {
          expect(logProb).toBeLessThanOrEqual((exact.get(String(tokenIds))?.logProb as number) + 1e-9);
        }
      }
    });
  });

  it('returns outputs that are equal once cut only once, with the sum of what they say', async () => {
    const say = (...tokens: number[]) =>
      Float32Array.from({ length: VOCABULARY }, (_, tokenId) => (tokens.includes(tokenId) ? 5 : -20));
    const dag = {
      emissions: [say(1), say(0), say(1, 2, 3)],
      edges: [
        [0, 9, -9],
        [0, 0, 0],
        [0, 0, 0],
      ],
    };
    const model = scriptedDagModel({ vocabularySize: VOCABULARY, endTokenId: 0, dag: () => dag });
    const beam = dagBeam({ beamSize: 3, hypotheses: 3, candidates: 3 });
    const { results } = await collect(beam.decode(model, { sources: [SOURCE] }));
    const [best, ...others] = results[0]?.hypotheses ?? [];
    expect(best).toMatchObject({ tokenIds: Int32Array.of(1), finishReason: 'end-token' });
    expect(best?.logProb).toBeCloseTo(0, 6);
    for (const { tokenIds, logProb } of others) {
      expect([...tokenIds]).not.toEqual([1]);
      expect(logProb).toBeLessThan(-15);
    }
  });
});
