import type { LatticeModel } from '@foretoken/core';
import { CtcPrefixScorer } from '@foretoken/core/kit';
import type { LanguageModel } from '@foretoken/language-models';
import { assertCode, proposeOne } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyTinyLattice, listed, type TinyLattice } from '../../core/test/ctc-oracle.js';
import { randomNgrams } from '../../language-models/test/random-models.js';
import { type LatticeDrafterOptions, latticeDrafter } from '../src/index.js';

const LIMIT = { nodes: 12, depth: 5 };

/** A session over one lattice whose end token is the last id. */
async function open({ lattice, vocabularySize }: TinyLattice, options: Omit<LatticeDrafterOptions<null>, 'model'>) {
  const model: LatticeModel<null> = {
    vocabulary: { size: vocabularySize + 1, endTokenId: vocabularySize },
    supports: { kind: 'ctc', maxCandidates: 4 },
    emit: async (sources) => sources.map(() => lattice),
  };
  return latticeDrafter({ model, minProbability: 1e-12, ...options }).open([null], {});
}

/** Probabilities that depend on all tokens before; states are those tokens. */
const wholeHistory: LanguageModel<readonly number[]> = {
  start: () => [],
  score: (state, tokenId) => -(([...state, tokenId].reduce((hash, id) => hash * 31 + id + 1, 7) % 13) + 1) / 5,
  next: (state, tokenId) => [...state, tokenId],
  end: (state) => -((state.length * 3) % 7) / 2,
};

const anyPrefixes = fc.array(fc.array(fc.nat(2), { maxLength: 4 }), { minLength: 1, maxLength: 4 });

describe('a language model of the lattice drafter', () => {
  it('knows all tokens before a draft and in it, however prefixes grow or jump', async () => {
    await fc.assert(
      fc.asyncProperty(anyTinyLattice, anyPrefixes, fc.constantFrom('tree', 'chain'), async (tiny, prefixes, shape) => {
        const languageModel = { model: wholeHistory as LanguageModel, weight: 0.8 };
        const session = await open(tiny, { shape, languageModel });
        for (const given of prefixes) {
          const tokenIds = given.filter((tokenId) => tokenId < tiny.vocabularySize);
          const request = { row: 0, prefix: Int32Array.from(tokenIds), limit: LIMIT };
          const draft = await proposeOne(session, request);
          expect(draft).toEqual(await proposeOne(await open(tiny, { shape, languageModel }), request));
          assertProbabilities(tiny, tokenIds, draft);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is heard the same whether it gives probabilities or their logarithms', async () => {
    await fc.assert(
      fc.asyncProperty(anyTinyLattice, anyPrefixes, fc.nat(20), async (tiny, prefixes, seed) => {
        const ngrams = randomNgrams(tiny.vocabularySize + 1, seed, tiny.vocabularySize);
        const scores: LanguageModel = {
          start: () => ngrams.start(),
          score: (state, tokenId) => ngrams.score(state as ReturnType<typeof ngrams.start>, tokenId),
          next: (state, tokenId) => ngrams.next(state as ReturnType<typeof ngrams.start>, tokenId),
          end: (state) => ngrams.end(state as ReturnType<typeof ngrams.start>),
        };
        const first = await open(tiny, { languageModel: { model: ngrams } });
        const second = await open(tiny, { languageModel: { model: scores } });
        for (const prefix of prefixes) {
          const request = { row: 0, prefix: Int32Array.from(prefix), limit: LIMIT };
          const one = await proposeOne(first, request);
          const other = await proposeOne(second, request);
          expect([...one.tokenIds]).toEqual([...other.tokenIds]);
          for (const [node, probability] of (one.probabilities ?? []).entries()) {
            expect(other.probabilities?.[node]).toBeCloseTo(probability, 6);
          }
        }
      }),
    );
  });

  it('is asked for one distribution a node that is expanded, and for no token twice', async () => {
    await fc.assert(
      fc.asyncProperty(anyTinyLattice, fc.constantFrom('tree', 'chain'), async (tiny, shape) => {
        const asked = { distributions: [] as string[], probabilities: [] as string[], states: 0 };
        const model: LanguageModel<string> = {
          start: () => '',
          score: () => Number.NaN,
          next: (state, tokenId) => {
            asked.states++;
            return `${state} ${tokenId}`;
          },
          end: () => Number.NaN,
          distribution: (state) => {
            asked.distributions.push(state);
            const probability = (tokenId: number | string): number => {
              asked.probabilities.push(`${state} ${tokenId}`);
              return 0.3;
            };
            return { probability, end: () => probability('end') };
          },
        };
        const session = await open(tiny, { shape, languageModel: { model: model as LanguageModel } });
        const { tokenIds } = await proposeOne(session, { row: 0, prefix: Int32Array.of(), limit: LIMIT });
        expect(new Set(asked.distributions).size).toBe(asked.distributions.length);
        expect(new Set(asked.probabilities).size).toBe(asked.probabilities.length);
        expect(asked.distributions.length).toBeLessThanOrEqual(tokenIds.length + 1);
        expect(asked.states).toBeLessThanOrEqual(tokenIds.length);
      }),
    );
  });

  it('that gives no probabilities ends the draft with a named error; with weight 0 it is not asked', async () => {
    const tiny = fc.sample(anyTinyLattice, { numRuns: 1, seed: 3 })[0];
    const request = { row: 0, prefix: Int32Array.of(), limit: LIMIT };
    for (const score of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const model = { ...wholeHistory, score: () => score, end: () => score } as LanguageModel;
      const session = await open(tiny, { languageModel: { model } });
      await assertCode(async () => proposeOne(session, request), 'INVALID_SCORES');
      const silent = await open(tiny, { languageModel: { model, weight: 0 } });
      expect(await proposeOne(silent, request)).toEqual(await proposeOne(await open(tiny, {}), request));
    }
  });
});

/** Each node's probability is the weighted geometric mean, renormalised, straight from the definition. */
function assertProbabilities(
  { lattice, vocabularySize }: TinyLattice,
  prefix: readonly number[],
  { tokenIds, parents, probabilities }: Awaited<ReturnType<typeof proposeOne>>,
): void {
  const scorer = new CtcPrefixScorer(lattice, vocabularySize + 1);
  const mean = (ofLattice: number, score: number): number => (ofLattice * Math.exp(score) ** 0.8) ** (1 / 1.8);
  for (const [node, tokenId] of tokenIds.entries()) {
    const path: number[] = [];
    for (let at = parents[node]; at >= 0; at = parents[at]) path.unshift(tokenIds[at]);
    const before = [...prefix, ...path];
    const state = before.reduce((state, id) => scorer.extend(state, id), scorer.start());
    const next = listed(scorer.continuations(state));
    const hopeless = 0.02 * Math.max(next.end, ...next.probabilities);
    const share = (ofLattice: number, score: number): number =>
      ofLattice < hopeless ? ofLattice : mean(ofLattice, score);
    const total = next.tokenIds.reduce(
      (sum, id, index) => sum + share(next.probabilities[index], wholeHistory.score(before, id)),
      share(next.end, wholeHistory.end(before)),
    );
    const own = share(next.probabilities[next.tokenIds.indexOf(tokenId)], wholeHistory.score(before, tokenId));
    expect(probabilities?.[node]).toBeCloseTo(own / total, 5);
  }
}
