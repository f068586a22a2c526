import { collect, type DecodeRequest, type Hypothesis, type TokenSource } from '@foretoken/core';
import { cutOutput, type RowCuts } from '@foretoken/core/kit';
import { hotWordModel, type LanguageModel } from '@foretoken/language-models';
import { type DagBeamOptions, dagBeam } from '@foretoken/one-shot';
import { assertCode } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dagLattice, everyDerivation, randomDag, type ScriptedDag, scriptedDagModel } from './dag-scripted.js';

const NEVER = Number.NEGATIVE_INFINITY;
const WIDE = 4096;

async function decode(
  dag: ScriptedDag,
  endTokenId: number,
  options: DagBeamOptions,
  request: Partial<DecodeRequest<TokenSource>> = {},
): Promise<readonly Hypothesis[]> {
  const vocabularySize = dag.emissions[0].length;
  const model = scriptedDagModel({ vocabularySize, endTokenId, dag: () => dag });
  const decoder = dagBeam({ beamSize: WIDE, candidates: vocabularySize, ...options });
  const { results } = await collect(decoder.decode(model, { sources: [Int32Array.of(1)], ...request }));
  return results[0].hypotheses;
}

/** A DAG by its probabilities. */
function dagOf(emissions: readonly (readonly number[])[], edges: readonly (readonly number[])[]): ScriptedDag {
  // As good as 0, but still a candidate, so that each vertex has as many.
  const logs = (row: readonly number[]): number[] => row.map((share) => Math.max(Math.log(share), -1e9));
  return { emissions: emissions.map(logs), edges: edges.map(logs) };
}

describe('an output that is said with the start token and without it', () => {
  it('is best by the sum of both, though each alone is less than what was found before', async () => {
    // Vertex 0 says the end, token 1 or the start token; from there 1 2 3 and 2 3 are said by half each.
    const dag = dagOf(
      [
        [0.3, 0.35, 0, 0, 0.35],
        [0, 1, 0, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 1, 0],
      ],
      [
        [0, 0.5, 0.5, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
        [0, 0, 0, 0],
      ],
    );
    const [best] = await decode(dag, 0, { lengthPenalty: 0, startTokenId: 4 });
    expect([...best.tokenIds]).toEqual([1, 2, 3]);
    expect(best.logProb).toBeCloseTo(Math.log(0.35), 6);
  });

  it('counts its rarer paths, whose length alone would make it worse', async () => {
    // 1 is said by vertex 0, and by vertex 1 after the start token, where the limit cuts.
    const dag = dagOf(
      [
        [0, 0.7, 0.2, 0.1],
        [0, 0.1, 0.5, 0.4],
      ],
      [
        [0, 1],
        [0, 0],
      ],
    );
    for (const hypotheses of [1, 2]) {
      const options = { lengthPenalty: -3, startTokenId: 3, hypotheses };
      const [best] = await decode(dag, -1, options, { maxNewTokens: 1 });
      expect([...best.tokenIds]).toEqual([1]);
      expect(best.logProb).toBeCloseTo(Math.log(0.71), 6);
    }
  });

  it('is divided by a length two vertices more, once most of it begins with the start token and ends with the end token', async () => {
    // 1 2 is said by vertices 0 and 4, and after the start token by 1 and 2, before the end token of vertex 3.
    const dag = dagOf(
      [
        [0, 0.16, 0, 0.31, 0.24, 0.29],
        [0, 1, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0],
        [1, 0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0],
      ],
      [
        [0, 0.5, 0, 0, 0.5],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 1, 0],
        [0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0],
      ],
    );
    const stopSequences = [Int32Array.of(3), Int32Array.of(5), Int32Array.of(1, 1)];
    const [best] = await decode(dag, 0, { lengthPenalty: 0.24, startTokenId: 4 }, { stopSequences });
    expect([...best.tokenIds]).toEqual([1, 2]);
    expect(best.score).toBeCloseTo(Math.log(0.2) / 4 ** 0.24, 6);
  });
});

/** The scores of two models added up. */
function both<A, B>(a: LanguageModel<A>, b: LanguageModel<B>): LanguageModel<readonly [A, B]> {
  return {
    maxScore: a.maxScore === undefined || b.maxScore === undefined ? undefined : a.maxScore + b.maxScore,
    start: () => [a.start(), b.start()],
    score: ([one, other], tokenId) => a.score(one, tokenId) + b.score(other, tokenId),
    next: ([one, other], tokenId) => [a.next(one, tokenId), b.next(other, tokenId)],
    end: ([one, other]) => a.end(one) + b.end(other),
  };
}

/** Scores up to `max` that depend on all tokens before; where `never`, some are ruled out. */
function moods(max: number, maxScore: number | undefined, salt: number, never: boolean): LanguageModel<number> {
  const mood = (state: number): number => (never && state % 6 === 0 ? NEVER : -1.5 + ((state % 7) / 6) * (max + 1.5));
  return {
    maxScore,
    start: () => 5 + salt,
    score: (state, tokenId) => mood(state * 3 + tokenId * 5),
    next: (state, tokenId) => (state * 13 + tokenId * 7 + 1) % 1009,
    end: (state) => mood(state * 11 + 2),
  };
}

const VOCABULARY = 4;
const anyTokens = fc.array(fc.nat(3), { minLength: 1, maxLength: 3 });
const anyModel = fc
  .record({
    max: fc.constantFrom(0, 0.5, 2),
    bounded: fc.boolean(),
    never: fc.boolean(),
    salt: fc.nat(100),
    phrases: fc.uniqueArray(anyTokens, { maxLength: 3, selector: String }),
    scored: fc.boolean(),
  })
  .map(({ max, bounded, never, salt, phrases, scored }): LanguageModel | undefined => {
    const words = hotWordModel(phrases.map((tokenIds, index) => ({ tokenIds, bonus: 1 + index })));
    const model = moods(max, bounded ? max : undefined, salt, never);
    if (!scored) return phrases.length === 0 ? undefined : (words as LanguageModel);
    return (phrases.length === 0 ? model : both(model, words)) as LanguageModel;
  });

const anyCase = fc.record({
  dag: fc
    .record({ seed: fc.nat(1e6), vertices: fc.integer({ min: 1, max: 5 }), sparsity: fc.constantFrom(0, 0.5, 0.9) })
    .map(({ seed, vertices, sparsity }) => randomDag(seed, vertices, VOCABULARY, sparsity)),
  endTokenId: fc.integer({ min: -1, max: 3 }),
  startTokenId: fc.option(fc.nat(3), { nil: undefined }),
  lengthPenalty: fc.constantFrom(-3, -1, -0.5, 0, 0.3, 0.7, 1, 1.5, 2.5),
  model: anyModel,
  weight: fc.constantFrom(0.3, 1, 2),
  hypotheses: fc.constantFrom(1, 2, 3, WIDE),
  cuts: fc
    .record({
      maxNewTokens: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      sequences: fc.array(fc.array(fc.nat(3), { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
    })
    .map(
      ({ maxNewTokens, sequences }): RowCuts => ({
        maxNewTokens,
        stopSequences: sequences.length === 0 ? undefined : sequences.map((ids) => Int32Array.from(ids)),
      }),
    ),
});
type Case = typeof anyCase extends fc.Arbitrary<infer Value> ? Value : never;

/** Derivations that say the same by as many vertices. */
interface Way {
  readonly logProb: number;
  readonly fused: number;
  readonly length: number;
}

function logSum(a: number, b: number): number {
  const max = Math.max(a, b);
  return max === NEVER ? NEVER : max + Math.log(Math.exp(a - max) + Math.exp(b - max));
}

/** The ways to say each output that the model leaves possible, by its joined tokens. */
function everyWay({ dag, endTokenId, startTokenId, model, weight, cuts }: Case): Map<string, Map<string, Way>> {
  const ways = new Map<string, Map<string, Way>>();
  for (const { tokenIds, logProb } of everyDerivation(dagLattice(dag, VOCABULARY))) {
    const begun = tokenIds[0] === startTokenId;
    const cut = cutOutput(begun ? tokenIds.slice(1) : tokenIds, endTokenId, cuts);
    const ended = cut.finishReason === 'end-token';
    let fused = 0;
    if (model !== undefined) {
      let state = model.start();
      for (const tokenId of cut.tokenIds) {
        fused += weight * model.score(state, tokenId);
        state = model.next(state, tokenId);
      }
      if (ended) fused += weight * model.end(state);
    }
    if (!(fused > NEVER)) continue;
    const length = Number(begun) + cut.tokenIds.length + Number(ended);
    const said = ways.get(cut.tokenIds.join()) ?? new Map<string, Way>();
    ways.set(cut.tokenIds.join(), said);
    const key = [begun, ended].join();
    said.set(key, { logProb: logSum(said.get(key)?.logProb ?? NEVER, logProb), fused, length });
  }
  return ways;
}

/** All outputs, best first; `undefined` where two ways of one are as probable, so that rounding chooses its length. */
function everyOutput(given: Case) {
  const outputs = [...everyWay(given)].map(([key, said]) => {
    const ranked = [...said.values()].sort((a, b) => b.logProb + b.fused - a.logProb - a.fused);
    const [first, second] = ranked.map(({ logProb, fused }) => logProb + fused);
    const sum = ranked.reduce((all, { logProb, fused }) => logSum(all, logProb + fused), NEVER);
    return {
      key,
      logProb: ranked.reduce((all, { logProb }) => logSum(all, logProb), NEVER),
      score: sum / ranked[0].length ** given.lengthPenalty,
      tie: first - second < 1e-6,
    };
  });
  return outputs.some(({ tie }) => tie) ? undefined : outputs.sort((a, b) => b.score - a.score);
}

describe('dagBeam', () => {
  it('finds the best outputs of all, by start and end tokens, cuts, models, hot words and length penalties together', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(anyCase, async (given) => {
        const wanted = everyOutput(given);
        if (wanted === undefined) return;
        const { dag, endTokenId, startTokenId, lengthPenalty, hypotheses, model, weight, cuts } = given;
        const languageModel = model && { model, weight };
        const decoding = () =>
          decode(dag, endTokenId, { startTokenId, lengthPenalty, hypotheses, languageModel }, cuts);
        if (wanted.length === 0) {
          await assertCode(decoding, 'UNSATISFIABLE_CONSTRAINT');
          return;
        }
        const found = await decoding();
        expect(found.length).toBe(Math.min(hypotheses, wanted.length));
        for (const [index, { tokenIds, logProb, score }] of found.entries()) {
          const same = wanted.find(({ key }) => key === tokenIds.join());
          expect(score).toBeCloseTo(wanted[index].score, 5);
          expect(score).toBeCloseTo(same?.score ?? NEVER, 5);
          expect(logProb).toBeCloseTo(same?.logProb ?? NEVER, 5);
        }
        compared++;
      }),
      { numRuns: 400, seed: 13 },
    );
    expect(compared).toBeGreaterThan(300);
  });
});
