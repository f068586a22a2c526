import { type AutoregressiveModel, collect, type DecodeRequest, type Decoder, type TokenSource } from '@foretoken/core';
import { logSoftmax } from '@foretoken/core/kit';
import { randomLogits, scriptedModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { type BeamSearchOptions, beamSearch, contrastiveSearch, stochasticBeam } from '../src/index.js';

const SIZE = 7;
const SOURCES = [Int32Array.of(5, 2), Int32Array.of(3), Int32Array.of(6, 6, 1)];

describe('log-probabilities of the tokens of a beam', () => {
  it.each<readonly [string, BeamSearchOptions, Partial<DecodeRequest<TokenSource>>]>([
    ['plain', {}, {}],
    ['several hypotheses', { hypotheses: 3, lengthPenalty: 2 }, {}],
    ['rules', { repetitionPenalty: 1.7, logitBias: { 3: -2 }, noRepeatNgramSize: 2 }, { minNewTokens: 2 }],
    ['groups', { groups: 2, diversityPenalty: 3, hypotheses: 2 }, {}],
    ['phrases', { phrases: [Int32Array.of(4, 4)] }, { maxNewTokens: 8 }],
    ['a length limit', {}, { maxNewTokens: 2 }],
    ['a stop', {}, { stopSequences: [Int32Array.of(2)] }],
    ['a beginning', { hypotheses: 2 }, { outputPrefixes: [Int32Array.of(1), new Int32Array(), Int32Array.of(2, 1)] }],
    [
      'a beginning that is over',
      {},
      { outputPrefixes: SOURCES.map(() => Int32Array.of(1)), stopSequences: [Int32Array.of(1)] },
    ],
  ])('are those of the model alone, the end token last: %s', async (_, options, request) => {
    await expectTokenLogProbs((given) => beamSearch({ beamSize: 4, ...options, ...given }), request);
  });
});

const REQUESTS: readonly (readonly [string, Partial<DecodeRequest<TokenSource>>])[] = [
  ['plain', {}],
  ['a minimum', { minNewTokens: [0, 3, 6] }],
  ['a length limit', { maxNewTokens: 2 }],
  ['a stop', { stopSequences: [Int32Array.of(2)] }],
  ['a beginning', { outputPrefixes: [Int32Array.of(1), new Int32Array(), Int32Array.of(2, 1)] }],
  [
    'a beginning that is over',
    { outputPrefixes: SOURCES.map(() => Int32Array.of(1)), stopSequences: [Int32Array.of(1)] },
  ],
];

describe.each(REQUESTS)('%s: log-probabilities of the tokens', (_, request) => {
  it('of a stochastic beam are those of the model alone, whatever the rules', async () => {
    for (const rules of [{}, { repetitionPenalty: 1.7, logitBias: { 3: -2 }, noRepeatNgramSize: 2 }]) {
      await expectTokenLogProbs((given) => stochasticBeam({ ...rules, ...given }), request);
    }
  });

  it('of contrastive search are those of the model alone', async () => {
    for (const options of [{}, { candidates: 7, penalty: 0.9 }, { candidates: 1 }]) {
      await expectTokenLogProbs((given) => contrastiveSearch({ ...options, ...given }), request);
    }
  });
});

/** Scores all outputs again, token by token. */
async function expectTokenLogProbs(
  decoderOf: (options: { readonly tokenLogProbs?: boolean }) => Decoder<AutoregressiveModel<TokenSource>>,
  request: Partial<DecodeRequest<TokenSource>>,
): Promise<void> {
  for (let seed = 1; seed <= 20; seed++) {
    const score = randomLogits({ seed, vocabularySize: SIZE, endTokenId: 0, typicalLength: 5 });
    const state = randomLogits({ seed, vocabularySize: 3, endTokenId: -1 });
    const model = scriptedModel({ vocabularySize: SIZE, endTokenId: 0, maxLength: 20, score, state });
    const decode = (given: { readonly tokenLogProbs?: boolean }) =>
      collect(decoderOf(given).decode(model, { sources: SOURCES, ...request }));
    const { results } = await decode({ tokenLogProbs: true });
    for (const { row, hypotheses } of results) {
      for (const { tokenIds, tokenLogProbs, finishReason } of hypotheses) {
        const chosen = finishReason === 'end-token' ? [...tokenIds, 0] : [...tokenIds];
        const given = request.outputPrefixes?.[row].length ?? 0;
        const expected = chosen.slice(given).map((tokenId, index) => {
          const logits = Float32Array.from(score(SOURCES[row], chosen.slice(0, given + index)));
          return logSoftmax(logits)[tokenId];
        });
        expect(tokenLogProbs).toHaveLength(expected.length);
        for (const [index, logProb] of expected.entries()) expect(tokenLogProbs?.[index]).toBeCloseTo(logProb, 4);
      }
    }
    // Nothing else is another for it, and without it there are none.
    const plain = (await decode({})).results;
    const without = results.map(({ row, hypotheses }) => ({
      row,
      hypotheses: hypotheses.map(({ tokenLogProbs: _, ...rest }) => rest),
    }));
    expect(plain.map(({ row, hypotheses }) => ({ row, hypotheses }))).toEqual(without);
  }
}
