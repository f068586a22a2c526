import { beamSearch, contrastiveSearch, stochasticBeam } from '@foretoken/beam';
import { collect, type DecodeRequest, type TokenConstraint } from '@foretoken/core';
import type { ScoreRules } from '@foretoken/core/kit';
import { greedy, sampling } from '@foretoken/greedy';
import { assertCode, randomLogits, scriptedModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

const END = 0;
const SOURCES = [Int32Array.of(3), Int32Array.of(4)];

const STRATEGIES = {
  greedy: (rules: ScoreRules) => greedy(rules),
  sampling: (rules: ScoreRules) => sampling({ ...rules, temperature: 0.7 }),
  'sampling several': (rules: ScoreRules) => sampling({ ...rules, hypotheses: 3 }),
  'beam search': (rules: ScoreRules) => beamSearch({ ...rules, hypotheses: 4 }),
  'diverse beam search': (rules: ScoreRules) => beamSearch({ ...rules, groups: 2, hypotheses: 3 }),
  'constrained beam search': (rules: ScoreRules) => beamSearch({ ...rules, phrases: [Int32Array.of(5)] }),
  'stochastic beam search': (rules: ScoreRules) => stochasticBeam(rules),
  // It takes no rules.
  'contrastive search': () => contrastiveSearch(),
};

const modelOf = (seed: number, maxLength = 64) =>
  scriptedModel({
    vocabularySize: 7,
    endTokenId: END,
    maxLength,
    score: randomLogits({ seed, vocabularySize: 7, endTokenId: END, typicalLength: 2 }),
    state: randomLogits({ seed, vocabularySize: 3, endTokenId: -1 }),
  });

const textOf = (ids: Int32Array): string => Array.from(ids, (id) => 'xabcdef'[id]).join('');

for (const [name, decoderOf] of Object.entries(STRATEGIES)) {
  const outputs = async (seed: number, rules: ScoreRules, request: Omit<DecodeRequest<Int32Array>, 'sources'>) => {
    const { results } = await collect(decoderOf(rules).decode(modelOf(seed), { sources: SOURCES, ...request }));
    return results.map(({ hypotheses }) => hypotheses);
  };

  describe(`${name}: new tokens`, () => {
    const outputPrefixes = [Int32Array.of(5, 6, 5), new Int32Array()];

    it('are counted after the prefix by maxNewTokens and minNewTokens', async () => {
      for (let seed = 1; seed <= 30; seed++) {
        const max = await outputs(seed, {}, { outputPrefixes, maxNewTokens: 4 });
        const exact = await outputs(seed, {}, { outputPrefixes, minNewTokens: 4, maxNewTokens: 4 });
        for (const [row, { length: given }] of outputPrefixes.entries()) {
          for (const { tokenIds } of max[row]) expect(tokenIds.length - given).toBeLessThanOrEqual(4);
          for (const { tokenIds, finishReason } of exact[row]) {
            expect(tokenIds.length - given).toBe(4);
            expect(finishReason).toBe('length');
          }
        }
      }
    });

    it('are as many as minNewTokens says of their row', async () => {
      for (let seed = 1; seed <= 20; seed++) {
        const request = { outputPrefixes, maxNewTokens: [6, 9] };
        const found = await outputs(seed, {}, { ...request, minNewTokens: [0, 7] });
        for (const { tokenIds } of found[1]) expect(tokenIds.length).toBeGreaterThanOrEqual(7);
        // The other row is as it is without.
        const without = await outputs(seed, {}, request);
        expect(found[0].map(({ tokenIds }) => tokenIds)).toEqual(without[0].map(({ tokenIds }) => tokenIds));
        expect(await outputs(seed, {}, { ...request, minNewTokens: [0, 0] })).toEqual(without);
      }
      await assertCode(() => outputs(1, {}, { minNewTokens: [0, 7], maxNewTokens: [9, 6] }), 'INVALID_ARGUMENT');
      await assertCode(() => outputs(1, {}, { minNewTokens: [3] }), 'INVALID_ARGUMENT');
      await assertCode(() => outputs(1, {}, { minNewTokens: [3, -1] }), 'INVALID_ARGUMENT');
    });

    it('are as many as minNewTokens says, whatever stop is met before', async () => {
      let stopped = 0;
      for (let seed = 1; seed <= 30; seed++) {
        const stops = [
          { stopSequences: [1, 2, 3, 4, 5, 6].map((id) => Int32Array.of(id)) },
          { stopStrings: { strings: ['a', 'b', 'c', 'd', 'e', 'f'], textOf } },
        ];
        for (const stop of stops) {
          const found = await outputs(seed, {}, { ...stop, outputPrefixes, minNewTokens: 3, maxNewTokens: 9 });
          for (const [row, { length: given }] of outputPrefixes.entries()) {
            for (const { tokenIds, finishReason } of found[row]) {
              // Any token stops, so the first that may does.
              expect(tokenIds.length - given).toBe(3);
              if (finishReason !== 'end-token') stopped++;
            }
          }
        }
      }
      expect(stopped).toBeGreaterThan(50);
    });

    it('of a prefix that no output could hold are refused', async () => {
      const long = { outputPrefixes: [new Int32Array(70).fill(5), new Int32Array()] };
      await assertCode(() => outputs(1, {}, long), 'LENGTH_LIMIT');
      const full = { outputPrefixes: [new Int32Array(62).fill(5), new Int32Array()] };
      await assertCode(() => outputs(1, {}, { ...full, minNewTokens: 3 }), 'INVALID_ARGUMENT');
    });

    it.skipIf(name === 'contrastive search')('cost a constraint one step each', async () => {
      let steps = 0;
      const constraint: TokenConstraint<number> = {
        start: () => 0,
        next: (state, tokenId) => {
          steps++;
          return (state * 31 + tokenId) % 1009;
        },
        // Never the end token, so that outputs become long.
        allowed: (state) => Uint8Array.from({ length: 7 }, (_, id) => Number(id > 0 && (state + id) % 6 !== 0)),
      };
      const model = modelOf(5, 400);
      await collect(decoderOf({ constraint }).decode(model, { sources: SOURCES, maxNewTokens: 300 }));
      // Two rows, at most four hypotheses a step.
      expect(steps).toBeLessThanOrEqual(2 * 4 * 300);
      expect(steps).toBeGreaterThan(2 * 250);
    });

    it('cost stop strings a bounded number of tokens each', async () => {
      const decodedFor = async (length: number): Promise<number> => {
        let decoded = 0;
        const counting = (ids: Int32Array): string => {
          decoded += ids.length;
          return textOf(ids);
        };
        const request = {
          sources: SOURCES,
          maxNewTokens: length,
          minNewTokens: length,
          stopStrings: { strings: ['not there'], textOf: counting },
        };
        await collect(decoderOf({}).decode(modelOf(5, 1000), request));
        return decoded;
      };
      const [short, long] = [await decodedFor(100), await decodedFor(400)];
      expect(short).toBeGreaterThan(0);
      expect(long / short).toBeLessThan(5);
    });
  });
}

describe('contrastive search', () => {
  it('counts new tokens after the prefix too', async () => {
    const outputPrefixes = [Int32Array.of(5, 6, 5), new Int32Array()];
    const request = { sources: SOURCES, outputPrefixes, maxNewTokens: 2, stopSequences: [Int32Array.of(5, 5, 5)] };
    const { results } = await collect(contrastiveSearch().decode(modelOf(9), request));
    for (const [row, { best }] of results.entries()) {
      expect(best.tokenIds.length - outputPrefixes[row].length).toBeLessThanOrEqual(2);
    }
    expect(results[0]?.best.tokenIds.length).toBeGreaterThan(3);
  });

  it('feeds the last token too, so it has room for one new token less', async () => {
    const outputs = async (minNewTokens: number) => {
      const { results } = await collect(contrastiveSearch().decode(modelOf(1, 9), { sources: SOURCES, minNewTokens }));
      return results.map(({ best }) => best);
    };
    for (const { tokenIds, finishReason } of await outputs(8)) {
      expect(tokenIds).toHaveLength(8);
      expect(finishReason).toBe('length');
    }
    await expect(outputs(9)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'minNewTokens is 9, but the output of row 0 has room for 8 new tokens.',
      details: { option: 'minNewTokens', row: 0, received: 9, max: 8 },
    });
  });

  it('says how many candidates it can weigh where one may take the end token’s place', async () => {
    const score = randomLogits({ seed: 1, vocabularySize: 7, endTokenId: END, typicalLength: 2 });
    const state = randomLogits({ seed: 1, vocabularySize: 3, endTokenId: -1 });
    const decode = (candidates: number, maxCandidates: number, minNewTokens = 3, endTokenId = END) => {
      const supports = { maxCandidates };
      const model = scriptedModel({ vocabularySize: 7, endTokenId, score, state, supports });
      return collect(
        contrastiveSearch({ candidates }).decode(model, { sources: SOURCES, minNewTokens, maxNewTokens: 5 }),
      );
    };
    await expect(decode(4, 4)).rejects.toMatchObject({
      code: 'UNSUPPORTED_CAPABILITY',
      message: expect.stringContaining(
        'reads one candidate more, 5, but the model gives at most 4. Lower candidates to 3',
      ),
    });
    // Nothing takes its place where there is no minimum, no end token, or no other token.
    await decode(4, 4, 0);
    await decode(4, 4, 3, -1);
    await decode(7, 7);
    for (const { best } of (await decode(3, 4)).results) expect(best.tokenIds.length).toBeGreaterThan(2);
  });
});

describe('a phrase that is given twice', () => {
  const occurrences = (output: readonly number[], phrase: readonly number[]): number =>
    output.filter((_, at) => phrase.every((tokenId, index) => output[at + index] === tokenId)).length;
  const said = async (seed: number, phrases: (Int32Array | Int32Array[])[], maxNewTokens = 16) => {
    const decoder = beamSearch({ beamSize: 5, hypotheses: 2, phrases });
    const { results } = await collect(decoder.decode(modelOf(seed), { sources: SOURCES, maxNewTokens }));
    return results.flatMap(({ hypotheses }) => hypotheses.map(({ tokenIds }) => [...tokenIds]));
  };

  it('occurs twice, at places that may overlap', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      for (const phrase of [[3], [2, 4], [5, 5]]) {
        const form = Int32Array.from(phrase);
        for (const output of await said(seed, [form, form])) expect(occurrences(output, phrase)).toBeGreaterThan(1);
      }
    }
    const twice = await said(1, [Int32Array.of(5, 5), Int32Array.of(5, 5)], 3);
    expect(twice.map((output) => output.join())).toContain('5,5,5');
  });

  it('may occur in different forms, and each entry needs one of its own', async () => {
    const [a, b] = [Int32Array.of(2), Int32Array.of(4, 1)];
    for (let seed = 1; seed <= 30; seed++) {
      for (const output of await said(seed, [
        [a, b],
        [b, a],
      ])) {
        expect(occurrences(output, [2]) + occurrences(output, [4, 1])).toBeGreaterThan(1);
      }
      for (const output of await said(seed, [[a, b], a])) {
        const [ofA, ofB] = [occurrences(output, [2]), occurrences(output, [4, 1])];
        expect(ofA > 1 || (ofA === 1 && ofB > 0), output.join()).toBe(true);
      }
    }
  });

  it('counts where it stands in the output prefix', async () => {
    const phrase = Int32Array.of(5);
    const decoder = beamSearch({ phrases: [phrase, phrase] });
    const outputPrefixes = [Int32Array.of(5, 1, 5), Int32Array.of(5)];
    const request = { sources: SOURCES, outputPrefixes, maxNewTokens: 6 };
    const { results } = await collect(decoder.decode(modelOf(3), request));
    for (const { best } of results) expect(occurrences([...best.tokenIds], [5])).toBeGreaterThan(1);
  });
});
