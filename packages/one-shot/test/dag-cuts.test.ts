import { collect } from '@foretoken/core';
import { cutOutput, type RowCuts } from '@foretoken/core/kit';
import { type LanguageModel, NgramModel } from '@foretoken/language-models';
import { dagBeam, dagGreedy } from '@foretoken/one-shot';
import { assertCode } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dagLattice, everyDerivation, randomDag, type ScriptedDag, scriptedDagModel } from './dag-scripted.js';

const VOCABULARY = 4;
const WIDE = 4096;
const NEVER = Number.NEGATIVE_INFINITY;
const SOURCE = Int32Array.of(1, 2);
const textOf = (tokenIds: Int32Array) => Array.from(tokenIds, (id) => 'abcd'[id]).join('');

const anyCase = fc.record({
  dag: fc
    .record({ seed: fc.nat(1000), vertices: fc.integer({ min: 1, max: 5 }), sparsity: fc.constantFrom(0, 0.5) })
    .map(({ seed, vertices, sparsity }) => randomDag(seed, vertices, VOCABULARY, sparsity)),
  endTokenId: fc.integer({ min: -1, max: 3 }),
  startTokenId: fc.option(fc.nat(3), { nil: undefined }),
  cuts: fc
    .record({
      maxNewTokens: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      sequences: fc.array(fc.array(fc.nat(3), { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
      strings: fc.array(fc.stringMatching(/^[abcd]{1,2}$/), { maxLength: 2 }),
    })
    .map(
      ({ maxNewTokens, sequences, strings }): RowCuts => ({
        maxNewTokens,
        stopSequences: sequences.length === 0 ? undefined : sequences.map((ids) => Int32Array.from(ids)),
        stopStrings: strings.length === 0 ? undefined : { strings, textOf },
      }),
    ),
});

const model = (dag: ScriptedDag, endTokenId: number) =>
  scriptedDagModel({ vocabularySize: VOCABULARY, endTokenId, dag: () => dag });

/** All derivations that are cut to the same, added up; natural logarithms by joined tokens. */
function cutSums(dag: ScriptedDag, endTokenId: number, startTokenId: number | undefined, cuts: RowCuts) {
  const found = new Map<string, number>();
  for (const { tokenIds, logProb } of everyDerivation(dagLattice(dag, VOCABULARY))) {
    const said = tokenIds[0] === startTokenId ? tokenIds.slice(1) : tokenIds;
    const key = cutOutput(said, endTokenId, cuts).tokenIds.join();
    found.set(key, Math.log(Math.exp(found.get(key) ?? Number.NEGATIVE_INFINITY) + Math.exp(logProb)));
  }
  return found;
}

describe('dagBeam', () => {
  it('adds up all paths that are cut to the same output', async () => {
    await fc.assert(
      fc.asyncProperty(anyCase, async ({ dag, endTokenId, startTokenId, cuts }) => {
        const decoder = dagBeam({
          beamSize: WIDE,
          hypotheses: WIDE,
          candidates: VOCABULARY,
          lengthPenalty: 0,
          startTokenId,
        });
        const { results } = await collect(decoder.decode(model(dag, endTokenId), { sources: [SOURCE], ...cuts }));
        const wanted = cutSums(dag, endTokenId, startTokenId, cuts);
        const found = results[0]?.hypotheses ?? [];
        expect(found.map(({ tokenIds }) => tokenIds.join()).sort()).toEqual([...wanted.keys()].sort());
        const ranked = [...wanted.values()].sort((a, b) => b - a);
        for (const [index, { tokenIds, logProb, score, finishReason }] of found.entries()) {
          expect(logProb).toBeCloseTo(wanted.get(tokenIds.join()) as number, 6);
          expect(score).toBeCloseTo(ranked[index], 6);
          const { finishReason: reason } = cutOutput(tokenIds, endTokenId, cuts);
          if (reason !== 'complete') expect(finishReason).toBe(reason);
          else expect(['complete', 'end-token']).toContain(finishReason);
        }
      }),
      { numRuns: 150, seed: 13 },
    );
  });

  it('finds the best of them by default options but for a beam that is wide, and never says more than there is', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyCase,
        fc.integer({ min: 1, max: 3 }),
        async ({ dag, endTokenId, startTokenId, cuts }, narrow) => {
          const wanted = cutSums(dag, endTokenId, startTokenId, cuts);
          const request = { sources: [SOURCE], ...cuts };
          const decode = async (beamSize: number) => {
            const start = startTokenId === undefined ? {} : { startTokenId };
            const decoder = dagBeam({ beamSize, candidates: VOCABULARY, lengthPenalty: 0, ...start });
            return (await collect(decoder.decode(model(dag, endTokenId), request))).results[0]?.hypotheses[0];
          };
          expect((await decode(WIDE))?.logProb).toBeCloseTo(Math.max(...wanted.values()), 6);
          const found = await decode(narrow);
          // With a start token, the same may be said without it, at another length, and be pruned there.
          if (startTokenId !== undefined) {
            const max = wanted.get(found?.tokenIds.join() ?? '') as number;
            expect(found?.logProb).toBeLessThanOrEqual(max + 1e-6);
            return;
          }
          // A prefix that is followed has all its paths, so its outputs are exact however narrow the beam.
          expect(found?.logProb).toBeCloseTo(wanted.get(found?.tokenIds.join() ?? '') as number, 6);
        },
      ),
      { numRuns: 150, seed: 13 },
    );
  });

  it('gives an end token said early the sum over whatever follows it', async () => {
    const no = -1e9;
    // The first vertex says the end token, 0, with probability 0.55, or 1; the second says 2 or 3.
    const dag = {
      emissions: [
        [Math.log(0.55), Math.log(0.45), no, no],
        [no, no, Math.log(0.6), Math.log(0.4)],
      ],
      edges: [
        [no, 0],
        [no, 0],
      ],
    };
    for (const beamSize of [1, 4]) {
      const decoder = dagBeam({ beamSize, candidates: VOCABULARY, lengthPenalty: 0 });
      const { results } = await collect(decoder.decode(model(dag, 0), { sources: [SOURCE] }));
      expect(results[0]?.hypotheses[0]).toMatchObject({ tokenIds: new Int32Array(0), finishReason: 'end-token' });
      expect(results[0]?.hypotheses[0]?.logProb).toBeCloseTo(Math.log(0.55), 6);
    }
    const greedy = await collect(dagGreedy().decode(model(dag, 0), { sources: [SOURCE] }));
    // One path is one path, cut or not.
    expect(greedy.results[0]?.hypotheses[0]?.score).toBeCloseTo(Math.log(0.55 * 0.6), 6);
  });

  it('scores the end token by the n-gram model where it is said, once', async () => {
    const some = (size: number, seed: number) =>
      Float32Array.from({ length: size }, (_, index) => 0.1 + ((index * 37 + seed * 11) % 17) / 20);
    const tables = {
      unigramProbability: some(VOCABULARY, 1),
      unigramBackoff: some(VOCABULARY, 2),
      bigramIds: Int32Array.of(0, 1, 1, 2, 2, 0, 3, 3),
      bigramProbability: some(4, 3),
      bigramBackoff: some(4, 4),
      trigramIds: Int32Array.of(1, 2, 0),
      trigramProbability: Float32Array.of(0.7),
    };
    await fc.assert(
      fc.asyncProperty(anyCase, async ({ dag, endTokenId }) => {
        const ngrams = new NgramModel(tables, { endTokenId });
        const sums = new Map<string, number>();
        for (const { tokenIds: said, logProb } of everyDerivation(dagLattice(dag, VOCABULARY))) {
          const end = said.indexOf(endTokenId);
          const scored = end < 0 ? said : said.slice(0, end + 1);
          const fused = scored.reduce((sum, id, at) => {
            const before = [scored[at - 2] ?? ngrams.startTokenId, scored[at - 1] ?? ngrams.startTokenId] as const;
            return sum + 0.7 * Math.log(ngrams.probability(...before, id));
          }, logProb);
          const key = (end < 0 ? said : said.slice(0, end)).join();
          sums.set(key, Math.log(Math.exp(sums.get(key) ?? Number.NEGATIVE_INFINITY) + Math.exp(fused)));
        }
        const decoder = dagBeam({
          beamSize: WIDE,
          candidates: VOCABULARY,
          lengthPenalty: 0,
          languageModel: { model: ngrams, weight: 0.7 },
        });
        const { results } = await collect(decoder.decode(model(dag, endTokenId), { sources: [SOURCE] }));
        expect(results[0]?.hypotheses[0]?.score).toBeCloseTo(Math.max(...sums.values()), 6);
      }),
      { numRuns: 60, seed: 13 },
    );
  });

  it('counts no path that the language model rules out, whatever others say the same', async () => {
    const choosy = (salt: number): LanguageModel<number> => ({
      start: () => salt,
      score: (state, tokenId) => ((state * 31 + tokenId * 17 + salt) % 5 === 0 ? NEVER : -((state + tokenId) % 11) / 4),
      next: (state, tokenId) => (state * 31 + tokenId * 17 + 1) % 1009,
      end: (state) => ((state + salt) % 4 === 0 ? NEVER : -(state % 5) / 3),
    });
    const anySalt = fc.nat(50);
    await fc.assert(
      fc.asyncProperty(anyCase, anySalt, async ({ dag, endTokenId, startTokenId, cuts }, salt) => {
        const languageModel = choosy(salt);
        const wanted = new Map<string, { readonly logProb: number; readonly score: number }>();
        for (const { tokenIds, logProb } of everyDerivation(dagLattice(dag, VOCABULARY))) {
          const said = tokenIds[0] === startTokenId ? tokenIds.slice(1) : tokenIds;
          const cut = cutOutput(said, endTokenId, cuts);
          let state = languageModel.start();
          let score = logProb;
          for (const tokenId of cut.tokenIds) {
            score += languageModel.score(state, tokenId);
            state = languageModel.next(state, tokenId);
          }
          if (cut.finishReason === 'end-token') score += languageModel.end(state);
          if (score === NEVER) continue;
          const before = wanted.get(cut.tokenIds.join()) ?? { logProb: NEVER, score: NEVER };
          wanted.set(cut.tokenIds.join(), {
            logProb: Math.log(Math.exp(before.logProb) + Math.exp(logProb)),
            score: Math.log(Math.exp(before.score) + Math.exp(score)),
          });
        }
        const decoder = dagBeam({
          beamSize: WIDE,
          hypotheses: WIDE,
          candidates: VOCABULARY,
          lengthPenalty: 0,
          startTokenId,
          languageModel: { model: languageModel as LanguageModel, weight: 1 },
        });
        const decoding = decoder.decode(model(dag, endTokenId), { sources: [SOURCE], ...cuts });
        if (wanted.size === 0) {
          await assertCode(() => collect(decoding), 'UNSATISFIABLE_CONSTRAINT');
          return;
        }
        const found = (await collect(decoding)).results[0]?.hypotheses ?? [];
        expect(found.map(({ tokenIds }) => tokenIds.join()).sort()).toEqual([...wanted.keys()].sort());
        for (const { tokenIds, logProb, score } of found) {
          expect(logProb).toBeCloseTo(wanted.get(tokenIds.join())?.logProb as number, 6);
          expect(score).toBeCloseTo(wanted.get(tokenIds.join())?.score as number, 6);
        }
      }),
      { numRuns: 300, seed: 13 },
    );
  });
});
