import { type CtcLattice, collect } from '@foretoken/core';
import { cutOutput, type RowCuts } from '@foretoken/core/kit';
import { NgramModel } from '@foretoken/language-models';
import { ctcGreedy, ctcPrefixBeam } from '@foretoken/one-shot';
import { ctcLattice } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { all, hashModel, type Options, SOURCE } from './ctc-decode.js';
import { anyCtc, cutAlignments, everyAlignment, latticesModel, rankedOutputs } from './ctc-oracle.js';

const LETTERS = 'abcd';
const textOf = (tokenIds: Int32Array) => Array.from(tokenIds, (id) => LETTERS[id]).join('');

/** Any token may be the end token, beside limits, stop sequences and stop strings of any kind. */
const anyCuts: fc.Arbitrary<{ readonly endTokenId: number; readonly cuts: RowCuts }> = fc
  .record({
    endTokenId: fc.integer({ min: -1, max: 3 }),
    maxNewTokens: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    sequences: fc.array(fc.array(fc.nat(3), { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
    strings: fc.array(fc.stringMatching(/^[abcd]{1,2}$/), { maxLength: 2 }),
  })
  .map(({ endTokenId, maxNewTokens, sequences, strings }) => ({
    endTokenId,
    cuts: {
      maxNewTokens,
      stopSequences: sequences.length === 0 ? undefined : sequences.map((ids) => Int32Array.from(ids)),
      stopStrings: strings.length === 0 ? undefined : { strings, textOf },
    },
  }));

async function decode(lattice: CtcLattice, endTokenId: number, cuts: RowCuts, options: Options) {
  const model = latticesModel([lattice], 4, endTokenId);
  const decoder = ctcPrefixBeam({ candidates: 1, ...options });
  const { results } = await collect(decoder.decode(model, { sources: [SOURCE], ...cuts }));
  return results[0]?.hypotheses ?? [];
}

function hashScore(tokenIds: readonly number[]): number {
  let state = hashModel.start();
  let sum = 0;
  for (const tokenId of tokenIds) {
    sum += hashModel.score(state, tokenId);
    state = hashModel.next(state, tokenId);
  }
  return sum + hashModel.end(state);
}

describe('an end token said early', () => {
  // The first frame says the end token, 1, with probability 0.55, or token 2; the second says 2 or 3.
  const lattice = ctcLattice(
    [
      [-1e9, Math.log(0.55), Math.log(0.45), -1e9],
      [-1e9, -1e9, Math.log(0.6), Math.log(0.4)],
    ],
    0,
    4,
  );

  it('has the sum over whatever follows it', async () => {
    for (const beamSize of [1, 2, 16]) {
      const [best] = await decode(lattice, 1, {}, { beamSize });
      expect(best).toMatchObject({ tokenIds: new Int32Array(0), finishReason: 'end-token' });
      expect(best?.logProb).toBeCloseTo(Math.log(0.55), 6);
      expect(best?.score).toBeCloseTo(Math.log(0.55), 6);
    }
  });

  it('leaves the score of the one alignment that greedy decoding follows as it is', async () => {
    const { results } = await collect(ctcGreedy().decode(latticesModel([lattice], 4, 1), { sources: [SOURCE] }));
    expect(results[0]?.hypotheses[0]).toMatchObject({ tokenIds: new Int32Array(0), finishReason: 'end-token' });
    expect(results[0]?.hypotheses[0]?.score).toBeCloseTo(Math.log(0.55 * 0.6), 6);
  });
});

describe('outputs that are cut', () => {
  it('add up over all alignments that are cut to the same', async () => {
    await fc.assert(
      fc.asyncProperty(anyCtc, anyCuts, fc.boolean(), async ({ lattice }, { endTokenId, cuts }, withModel) => {
        const bonus = (tokenIds: readonly number[]) => (withModel ? 0.5 * hashScore(tokenIds) + tokenIds.length : 0);
        const options = withModel ? { languageModel: { model: hashModel, weight: 0.5 }, lengthBonus: 1 } : {};
        const wanted = rankedOutputs(cutAlignments(lattice, endTokenId, cuts), bonus);
        const found = await decode(lattice, endTokenId, cuts, all(options));
        expect(found.length).toBe(wanted.length);
        const byTokens = new Map(wanted.map((output) => [output.tokenIds.join(), output]));
        for (const [index, { tokenIds, score, logProb, finishReason }] of found.entries()) {
          expect(logProb).toBeCloseTo(byTokens.get(tokenIds.join())?.logProb as number, 5);
          expect(score).toBeCloseTo(wanted[index]?.score, 5);
          const { finishReason: reason } = cutOutput(tokenIds, endTokenId, cuts);
          if (reason !== 'complete') expect(finishReason).toBe(reason);
          else expect(['complete', 'end-token']).toContain(finishReason);
        }
      }),
      { numRuns: 300, seed: 13 },
    );
  });

  it('add up with n-grams and hot words together, end tokens and stops among them', async () => {
    const some = (size: number, seed: number): Float32Array =>
      Float32Array.from({ length: size }, (_, index) => 0.1 + ((index * 37 + seed * 11) % 17) / 20);
    const tables = {
      unigramProbability: some(4, 1),
      unigramBackoff: some(4, 2),
      bigramIds: Int32Array.of(0, 1, 1, 2, 2, 0, 3, 3),
      bigramProbability: some(4, 3),
      bigramBackoff: some(4, 4),
      trigramIds: Int32Array.of(1, 2, 0),
      trigramProbability: Float32Array.of(0.7),
    };
    const anyPhrases = fc.uniqueArray(fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }), {
      maxLength: 3,
      selector: String,
    });
    await fc.assert(
      fc.asyncProperty(anyCtc, anyCuts, anyPhrases, async ({ lattice }, { endTokenId, cuts }, phrases) => {
        const ngrams = new NgramModel(tables, { endTokenId });
        const hotWords = phrases
          .filter((tokenIds) => !tokenIds.includes(endTokenId))
          .map((tokenIds, index) => ({ tokenIds, bonus: 1 + index }));
        const bonus = (said: readonly number[]): number => {
          let state = ngrams.start();
          let sum = 0;
          for (const [at, tokenId] of said.entries()) {
            sum += 0.7 * ngrams.score(state, tokenId);
            state = ngrams.next(state, tokenId);
            for (const { tokenIds, bonus } of hotWords) {
              const from = at + 1 - tokenIds.length;
              if (from >= 0 && tokenIds.every((id, index) => id === said[from + index])) sum += bonus;
            }
          }
          return sum + 0.7 * ngrams.end(state);
        };
        const wanted = rankedOutputs(cutAlignments(lattice, endTokenId, cuts), bonus);
        const languageModel = { model: ngrams, weight: 0.7 };
        const found = await decode(lattice, endTokenId, cuts, all({ languageModel, hotWords }));
        expect(found.length).toBe(wanted.length);
        for (const [index, { tokenIds, logProb, score }] of found.entries()) {
          const same = wanted.find((one) => one.tokenIds.join() === tokenIds.join());
          expect(score).toBeCloseTo(wanted[index].score, 4);
          expect(logProb).toBeCloseTo(same?.logProb ?? Number.NEGATIVE_INFINITY, 5);
        }
      }),
      { numRuns: 200, seed: 13 },
    );
  });

  it('have the exact sum however narrow the beam was', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyCtc,
        anyCuts,
        fc.integer({ min: 1, max: 3 }),
        async ({ lattice }, { endTokenId, cuts }, size) => {
          const sums = cutAlignments(lattice, endTokenId, cuts);
          for (const { tokenIds, logProb } of await decode(lattice, endTokenId, cuts, {
            beamSize: size,
            hypotheses: size,
          })) {
            expect(logProb).toBeCloseTo(sums.get(tokenIds.join())?.logProb as number, 5);
          }
        },
      ),
      { numRuns: 300, seed: 13 },
    );
  });

  it('end by what ends most of their alignments', async () => {
    for (const share of [0.2, 0.8]) {
      // The second frame says the end token or the blank; either way the output is 2.
      const lattice = ctcLattice(
        [
          [-1e9, -1e9, 0],
          [Math.log(1 - share), Math.log(share), -1e9],
        ],
        0,
        3,
      );
      const [best, ...others] = await decode(lattice, 1, {}, all());
      expect(best).toMatchObject({ tokenIds: Int32Array.of(2), finishReason: share > 0.5 ? 'end-token' : 'complete' });
      expect(best?.logProb).toBeCloseTo(0, 6);
      for (const { logProb } of others) expect(logProb).toBeLessThan(-1e6);
    }
  });

  it('are aligned by the best of all alignments that are cut to them', async () => {
    await fc.assert(
      fc.asyncProperty(anyCtc, anyCuts, async ({ lattice }, { endTokenId, cuts }) => {
        for (const { tokenIds, alignment } of await decode(lattice, endTokenId, cuts, all({ alignments: true }))) {
          let best = Number.NEGATIVE_INFINITY;
          const allowed: (readonly number[])[] = [];
          for (const { labels, tokenIds: said, logProb } of everyAlignment(lattice)) {
            if (cutOutput(said, endTokenId, cuts).tokenIds.join() !== tokenIds.join()) continue;
            if (logProb > best + 1e-5) allowed.length = 0;
            best = Math.max(best, logProb);
            if (logProb > best - 1e-5) allowed.push(runsOf(labels, lattice.blankId, tokenIds.length));
          }
          const found = Array.from(tokenIds, (_, token) => [
            alignment?.firstFrames[token] as number,
            alignment?.lastFrames[token] as number,
          ]).flat();
          expect(allowed).toContainEqual(found);
        }
      }),
      { seed: 13 },
    );
  });
});

/** First and last frames of the first runs of labels that are no blank, in turn. */
function runsOf(labels: readonly number[], blankId: number, count: number): number[] {
  const runs: number[] = [];
  for (const [frame, label] of labels.entries()) {
    if (label === blankId) continue;
    if (frame > 0 && labels[frame - 1] === label) runs[runs.length - 1] = frame;
    else runs.push(frame, frame);
  }
  return runs.slice(0, 2 * count);
}
