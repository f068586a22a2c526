import { collect, type DecodeRequest, type LatticeModel, type TokenSource } from '@foretoken/core';
import { hotWordModel, type LanguageModel } from '@foretoken/language-models';
import { dagBeam } from '@foretoken/one-shot';
import { assertCode } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dagLattice, everyDerivation, randomDag, type ScriptedDag, scriptedDagModel } from './dag-scripted.js';

const VOCABULARY = 4;
const END = 3;
const SOURCE = Int32Array.of(1);
const WIDE = 4096;

/** Scores from -1 to `most` that depend on all tokens before, for the end too. */
function moods(max: number, maxScore: number | undefined): LanguageModel<number> {
  const mood = (state: number): number => -1 + ((state % 7) / 6) * (max + 1);
  return {
    maxScore,
    start: () => 5,
    score: (state, tokenId) => mood(state * 3 + tokenId * 5),
    next: (state, tokenId) => (state * 13 + tokenId * 7 + 1) % 1009,
    end: (state) => mood(state * 11 + 2),
  };
}

const models: Readonly<Record<string, LanguageModel>> = {
  'scores above 0 with a bound': moods(2, 2) as LanguageModel,
  'scores above 0 without a bound': moods(2, undefined) as LanguageModel,
  'scores below 0 with a bound': moods(0, 0) as LanguageModel,
  'scores below 0 without a bound': moods(0, undefined) as LanguageModel,
  'hot words': hotWordModel([
    { tokenIds: [1, 2], bonus: 3 },
    { tokenIds: [2, 2, 0], bonus: 4 },
  ]),
};

/** The score of every output, straight from all derivations. */
function everyScore(dag: ScriptedDag, model: LanguageModel, weight: number): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { tokenIds: said, logProb } of everyDerivation(dagLattice(dag, VOCABULARY))) {
    const end = said.indexOf(END);
    const tokenIds = end < 0 ? said : said.slice(0, end);
    let state = model.start();
    let score = logProb;
    for (const tokenId of tokenIds) {
      score += weight * model.score(state, tokenId);
      state = model.next(state, tokenId);
    }
    if (end >= 0) score += weight * model.end(state);
    const key = tokenIds.join();
    sums.set(key, Math.log(Math.exp(sums.get(key) ?? Number.NEGATIVE_INFINITY) + Math.exp(score)));
  }
  return sums;
}

const decode = async (model: LatticeModel<TokenSource>, decoder: ReturnType<typeof dagBeam>) => {
  const request: DecodeRequest<TokenSource> = { sources: [SOURCE] };
  return (await collect(decoder.decode(model, request))).results[0]?.hypotheses ?? [];
};

describe.each(Object.entries(models))('dagBeam with %s', (_, model) => {
  it('finds the best outputs that there are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1e6),
        fc.integer({ min: 2, max: 5 }),
        fc.constantFrom(0, 0.5),
        fc.constantFrom(0.3, 1, 3),
        fc.constantFrom(1, 3),
        async (seed, vertices, sparsity, weight, hypotheses) => {
          const dag = randomDag(seed, vertices, VOCABULARY, sparsity);
          const lattice = scriptedDagModel({ vocabularySize: VOCABULARY, endTokenId: END, dag: () => dag });
          const wanted = [...everyScore(dag, model, weight)].sort((a, b) => b[1] - a[1]);
          const options = { beamSize: WIDE, candidates: VOCABULARY, lengthPenalty: 0, hypotheses };
          const found = await decode(lattice, dagBeam({ ...options, languageModel: { model, weight } }));
          expect(found.length).toBe(Math.min(hypotheses, wanted.length));
          for (const [index, { score }] of found.entries()) expect(score).toBeCloseTo(wanted[index]?.[1], 5);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('finds with a penalty on lengths what it finds without a bound', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1e6),
        fc.constantFrom(-0.5, 0.5, 1, 1.5),
        fc.constantFrom(undefined, 0),
        async (seed, lengthPenalty, startTokenId) => {
          const dag = randomDag(seed, 5, VOCABULARY, 0.5);
          const lattice = scriptedDagModel({ vocabularySize: VOCABULARY, endTokenId: END, dag: () => dag });
          const given = { beamSize: WIDE, candidates: VOCABULARY, lengthPenalty, hypotheses: 2 };
          const options = startTokenId === undefined ? given : { ...given, startTokenId };
          const unbounded = { ...model, maxScore: undefined };
          const found = await decode(lattice, dagBeam({ ...options, languageModel: { model, weight: 1 } }));
          expect(found).toEqual(
            await decode(lattice, dagBeam({ ...options, languageModel: { model: unbounded, weight: 1 } })),
          );
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('dagBeam refuses', () => {
  const lattice = scriptedDagModel({ vocabularySize: VOCABULARY, endTokenId: END, dag: () => randomDag(3, 4, 4) });
  const plain = moods(0, 0);
  const decoder = (model: object, weight = 1) =>
    dagBeam({ candidates: VOCABULARY, languageModel: { model: model as LanguageModel, weight } });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('a language model that scores with %s', async (score) => {
    await assertCode(() => decode(lattice, decoder({ ...plain, score: () => score })), 'INVALID_SCORES');
    await assertCode(() => decode(lattice, decoder({ ...plain, end: () => score })), 'INVALID_SCORES');
    expect(await decode(lattice, decoder({ ...plain, score: () => score, end: () => score }, 0))).toHaveLength(1);
  });

  it('a language model of another vocabulary, and one that allows nothing', async () => {
    await assertCode(() => decode(lattice, decoder({ ...plain, vocabularySize: 5 })), 'INVALID_ARGUMENT');
    const never = { ...plain, score: () => Number.NEGATIVE_INFINITY, end: () => Number.NEGATIVE_INFINITY };
    await assertCode(() => decode(lattice, decoder(never)), 'UNSATISFIABLE_CONSTRAINT');
  });
});
