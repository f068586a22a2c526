import { type CtcLattice, collect, type Hypothesis } from '@foretoken/core';
import { type HotWord, type LanguageModel, NgramModel } from '@foretoken/language-models';
import { ctcGreedy, ctcPrefixBeam } from '@foretoken/one-shot';
import { ctcLattice } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { all, decode, hashModel, type Options, SOURCE, WIDE } from './ctc-decode.js';
import { anyCtc, cutAlignments, everyOutput, latticesModel, rankedOutputs } from './ctc-oracle.js';

/** What every output should score, best first. */
const expected = (lattice: CtcLattice, bonus: (tokenIds: readonly number[]) => number) =>
  rankedOutputs(everyOutput(lattice), bonus);

function expectSame(found: readonly Hypothesis[], wanted: ReturnType<typeof expected>): void {
  expect(found.length).toBe(wanted.length);
  const byTokens = new Map(wanted.map((output) => [output.tokenIds.join(), output]));
  for (const [index, { tokenIds, score, logProb }] of found.entries()) {
    const output = byTokens.get(tokenIds.join());
    expect(logProb).toBeCloseTo(output?.logProb as number, 5);
    expect(score).toBeCloseTo(output?.score as number, 5);
    expect(score).toBeCloseTo(wanted[index]?.score, 5);
  }
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

/** Occurrences of a phrase, overlapping ones included. */
function occurrences(tokenIds: readonly number[], phrase: readonly number[]): number {
  return tokenIds.filter((_, at) => phrase.every((tokenId, offset) => tokenIds[at + offset] === tokenId)).length;
}

describe('ctcPrefixBeam, with a beam that never prunes', () => {
  it('finds every output with the sum over its alignments', async () => {
    await fc.assert(
      fc.asyncProperty(anyCtc, async ({ lattice, vocabularySize }) => {
        expectSame(
          await decode(lattice, vocabularySize, all()),
          expected(lattice, () => 0),
        );
      }),
    );
  });

  it('adds a language model, by weight, and a length bonus', async () => {
    const cases = fc.record({
      ctc: anyCtc,
      weight: fc.constantFrom(0, 0.5, 2),
      lengthBonus: fc.constantFrom(-1, 0, 0.7),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ ctc: { lattice, vocabularySize }, weight, lengthBonus }) => {
        const options = all({ languageModel: { model: hashModel, weight }, lengthBonus });
        const bonus = (tokenIds: readonly number[]) => weight * hashScore(tokenIds) + lengthBonus * tokenIds.length;
        expectSame(await decode(lattice, vocabularySize, options), expected(lattice, bonus));
      }),
    );
  });

  it('adds the bonus of each hot word for each time it is said, and nothing for a part of it', async () => {
    const phrases = fc.uniqueArray(fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }), {
      selector: String,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(anyCtc, phrases, async ({ lattice, vocabularySize }, found) => {
        const hotWords: HotWord[] = found
          .filter((phrase) => phrase.every((tokenId) => tokenId < vocabularySize))
          .map((tokenIds, index) => ({ tokenIds, bonus: 0.5 + index }));
        const bonus = (tokenIds: readonly number[]) =>
          hotWords.reduce((sum, hot) => sum + hot.bonus * occurrences(tokenIds, Array.from(hot.tokenIds)), 0);
        expectSame(await decode(lattice, vocabularySize, all({ hotWords })), expected(lattice, bonus));
      }),
    );
  });

  it('says no n-gram twice', async () => {
    await fc.assert(
      fc.asyncProperty(anyCtc, fc.integer({ min: 1, max: 3 }), async ({ lattice, vocabularySize }, size) => {
        const repeats = (tokenIds: readonly number[]): boolean =>
          tokenIds.some(
            (_, at) => at + size <= tokenIds.length && occurrences(tokenIds, tokenIds.slice(at, at + size)) > 1,
          );
        const wanted = expected(lattice, (tokenIds) => (repeats(tokenIds) ? Number.NEGATIVE_INFINITY : 0));
        if (wanted.length > 0) {
          expectSame(await decode(lattice, vocabularySize, all({ noRepeatNgramSize: size })), wanted);
        }
      }),
    );
  });

  it('adds an n-gram model of tokens and of the end', async () => {
    const size = 4;
    const tables = {
      unigramProbability: Float32Array.of(0.1, 0.4, 0.2, 0.3),
      unigramBackoff: Float32Array.of(0.5, 0.9, 0.4, 0.7),
      bigramIds: Int32Array.of(3, 1, 1, 2, 3, 3),
      bigramProbability: Float32Array.of(0.6, 0.5, 0.25),
      bigramBackoff: Float32Array.of(0.3, 0.8, 0.9),
      trigramIds: Int32Array.of(3, 1, 2),
      trigramProbability: Float32Array.of(0.75),
    };
    const ngrams = new NgramModel(tables, { endTokenId: 2 });
    const lattice = ctcLattice(
      [
        [1, 2, 1, 0],
        [0, 1, 2, 1],
        [2, 1, 0, 1],
        [1, 1, 1, 1],
      ],
      0,
      size,
    );
    const decoder = ctcPrefixBeam({ candidates: 1, languageModel: { model: ngrams, weight: 0.4 }, ...all() });
    const model = latticesModel([lattice], size, 2);
    const { results } = await collect(decoder.decode(model, { sources: [SOURCE] }));
    const bonus = (tokenIds: readonly number[]): number => {
      const ended = [...tokenIds, 2];
      const at = (place: number): number => ended[place] ?? 3;
      return ended.reduce(
        (sum, id, place) => sum + 0.4 * Math.log(ngrams.probability(at(place - 2), at(place - 1), id)),
        0,
      );
    };
    // An end token, said or not, is scored once.
    expectSame(results[0]?.hypotheses ?? [], rankedOutputs(cutAlignments(lattice, 2), bonus));
  });

  it('does at least as well as the output of greedy decoding', async () => {
    await fc.assert(
      fc.asyncProperty(anyCtc, async ({ lattice, vocabularySize }) => {
        const model = latticesModel([lattice], vocabularySize);
        const { results } = await collect(ctcGreedy().decode(model, { sources: [SOURCE] }));
        const greedy = everyOutput(lattice).get(results[0]?.hypotheses[0]?.tokenIds.join() ?? '');
        const [best] = await decode(lattice, vocabularySize, { beamSize: WIDE });
        expect(best?.score).toBeGreaterThanOrEqual((greedy?.logProb as number) - 1e-5);
      }),
    );
  });
});

describe('ctcPrefixBeam, pruned', () => {
  it('tells the exact sum of whatever it found, and a row of a batch is the row alone', async () => {
    const pruned = fc.record({
      beamSize: fc.integer({ min: 1, max: 4 }),
      minTokenLogProb: fc.constantFrom(-0.5, -2, -8),
      beamThreshold: fc.constantFrom(0, 1, 5),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anyCtc, { minLength: 1, maxLength: 3 }), pruned, async (rows, options) => {
        const model = latticesModel(
          rows.map(({ lattice }) => lattice),
          4,
        );
        const decoder = ctcPrefixBeam({ candidates: 1, hypotheses: options.beamSize, ...options });
        const { results } = await collect(decoder.decode(model, { sources: rows.map(() => SOURCE) }));
        for (const [row, { lattice }] of rows.entries()) {
          const outputs = everyOutput(lattice);
          const found = results[row]?.hypotheses ?? [];
          expect(found).toEqual(await decode(lattice, 4, { hypotheses: options.beamSize, ...options }));
          expect(found.length).toBeGreaterThan(0);
          for (const { tokenIds, score } of found) {
            expect(score).toBeCloseTo(outputs.get(tokenIds.join())?.logProb as number, 5);
          }
        }
      }),
    );
  });

  it('finds the same when it need not ask a language model about what has no chance, and asks less', async () => {
    const pruned = fc.record({
      beamSize: fc.integer({ min: 1, max: 4 }),
      beamThreshold: fc.constantFrom(0, 1, 5, Number.POSITIVE_INFINITY),
      lengthBonus: fc.constantFrom(-1, 0, 1),
    });
    const asked = { bounded: 0, unbounded: 0 };
    const model = (name: keyof typeof asked, seed: number): LanguageModel<number> => ({
      start: () => seed,
      score: (state, tokenId) => {
        asked[name]++;
        return -(((state * 31 + tokenId * 7) % 11) + 1) / 4;
      },
      next: (state, tokenId) => state * 5 + tokenId + 1,
      end: (state) => -(state % 3) / 2,
      maxScore: name === 'bounded' ? 0 : undefined,
    });
    await fc.assert(
      fc.asyncProperty(anyCtc, pruned, fc.nat(100), async ({ lattice, vocabularySize }, options, seed) => {
        const found = (name: keyof typeof asked) =>
          decode(lattice, vocabularySize, {
            hypotheses: options.beamSize,
            candidates: vocabularySize,
            ...options,
            languageModel: { model: model(name, seed) },
          });
        expect(await found('bounded')).toEqual(await found('unbounded'));
      }),
      { numRuns: 300 },
    );
    expect(asked.bounded).toBeLessThan(0.8 * asked.unbounded);
  });

  it('leaves out improbable labels and prefixes', async () => {
    const lattice = ctcLattice(
      [
        [3, 2, 0],
        [3, 2, 0],
      ],
      0,
      3,
    );
    const tokens = async (options: Options) =>
      (await decode(lattice, 3, all(options))).map(({ tokenIds }) => tokenIds.join());
    expect(await tokens({})).toHaveLength(7 - 2);
    expect(await tokens({ minTokenLogProb: -2 })).toEqual(['', '1']);
    expect(await tokens({ minTokenLogProb: 0 })).toEqual(['']);
    expect(await tokens({ beamThreshold: 0 })).toHaveLength(1);
  });

  it('sees what the best path does not: that many alignments say the same', async () => {
    const lattice = ctcLattice(
      [
        [1, 0.9],
        [1, 0.9],
      ],
      0,
      2,
    );
    expect((await decode(lattice, 2))[0]?.tokenIds).toEqual(Int32Array.of(1));
    const { results } = await collect(ctcGreedy().decode(latticesModel([lattice], 2), { sources: [SOURCE] }));
    expect(results[0]?.hypotheses[0]?.tokenIds).toEqual(new Int32Array(0));
  });
});
