import { beamSearch, contrastiveSearch, stochasticBeam } from '@foretoken/beam';
import { collect, type Hypothesis } from '@foretoken/core';
import { randomLogits, scriptedModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { everyOutput, type Output } from './enumeration.js';

const END = 0;
const SOURCE = Int32Array.of(3);
const LIMIT = 4;
/** Keeps every output of the models here. */
const ALL = 64;

/** A model of so few tokens, and all its outputs, the most probable first. */
function small(vocabularySize: number, seed: number) {
  const score = randomLogits({ seed, vocabularySize, endTokenId: END, typicalLength: 3, sharpness: 2 });
  const all = everyOutput(score, SOURCE, vocabularySize, END, LIMIT).sort((a, b) => b.logProb - a.logProb);
  const state = randomLogits({ seed: seed + 500, vocabularySize: 6, endTokenId: -1 });
  return { model: scriptedModel({ vocabularySize, score, state, prefix: [vocabularySize - 1] }), all };
}

const request = { sources: [SOURCE], maxNewTokens: LIMIT };
const keyOf = ({ output }: Output): string => output.join();
const keyFound = ({ tokenIds }: Hypothesis): string => tokenIds.join();

describe.each([1, 2, 3])('a vocabulary of %i', (vocabularySize) => {
  const models = Array.from({ length: 12 }, (_, seed) => small(vocabularySize, seed + 1));

  it('is searched whole by a beam that is wider', async () => {
    for (const { model, all } of models) {
      for (const beamSize of [ALL, 4096]) {
        const decoder = beamSearch({ beamSize, hypotheses: ALL, lengthPenalty: 0, stopWhen: 'improvement-impossible' });
        const { results } = await collect(decoder.decode(model, request));
        const { hypotheses } = results[0];
        expect(hypotheses.map(keyFound).sort()).toEqual(all.map(keyOf).sort());
        for (const [rank, { logProb }] of hypotheses.entries()) expect(logProb).toBeCloseTo(all[rank].logProb, 4);
      }
    }
  });

  it('is searched by the usual beam, by groups, with phrases and with rules', async () => {
    for (const { model, all } of models) {
      const known = new Map(all.map((output) => [keyOf(output), output.logProb]));
      const last = vocabularySize - 1;
      const phrases = last === END ? [] : [Int32Array.of(last)];
      for (const options of [{}, { groups: 2 }, { beamSize: 9 }, { phrases }, { logitBias: { [END]: 0 } }]) {
        const { results } = await collect(beamSearch({ hypotheses: 4, ...options }).decode(model, request));
        const { hypotheses } = results[0];
        expect(hypotheses.length).toBeGreaterThan(0);
        expect(new Set(hypotheses.map(keyFound)).size).toBe(hypotheses.length);
        for (const one of hypotheses) expect(one.logProb).toBeCloseTo(known.get(keyFound(one)) ?? Number.NaN, 4);
      }
    }
  });

  it('is drawn from without replacement until nothing is left', async () => {
    for (const { model, all } of models) {
      const { results } = await collect(stochasticBeam({ beamSize: ALL }).decode(model, request));
      const drawn = results[0].hypotheses.map(keyFound);
      expect(drawn.sort()).toEqual(all.map(keyOf).sort());
      expect((await collect(stochasticBeam().decode(model, request))).results[0].hypotheses.length).toBe(
        Math.min(4, all.length),
      );
    }
  });

  it('is weighed whole by contrastive search, with a least length too', async () => {
    for (const { model } of models) {
      for (const minNewTokens of vocabularySize === 1 ? [0] : [0, 2]) {
        const outputOf = async (candidates?: number) => {
          const { results } = await collect(
            contrastiveSearch({ candidates }).decode(model, { ...request, minNewTokens }),
          );
          return [...results[0].best.tokenIds];
        };
        expect(await outputOf()).toEqual(await outputOf(vocabularySize));
      }
    }
  });
});
