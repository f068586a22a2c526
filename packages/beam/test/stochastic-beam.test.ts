import { stochasticBeam } from '@foretoken/beam';
import { collect } from '@foretoken/core';
import { assertCode, autoregressiveConformance, randomLogits, scriptedModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { everyOutput } from './enumeration.js';

autoregressiveConformance({
  runner: { describe, it },
  name: 'stochastic beam search',
  createDecoder: () => stochasticBeam({ beamSize: 3 }),
  search: true,
  models: 10,
});

const SOURCE = Int32Array.of(1);

describe('stochastic beam search', () => {
  it('draws without replacement from the distribution over whole outputs', async () => {
    const score = randomLogits({ seed: 3, vocabularySize: 3, endTokenId: 0, typicalLength: 2, sharpness: 1.5 });
    const model = scriptedModel({ vocabularySize: 3, score });
    const all = everyOutput(score, SOURCE, 3, 0, 2).map(({ output, logProb }) => ({
      key: output.join(),
      probability: Math.exp(logProb),
    }));
    expect(all.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 6);
    const draws = 6000;
    const pairs = new Map<string, number>();
    for (let seed = 0; seed < draws; seed++) {
      const decoder = stochasticBeam({ beamSize: 2 });
      const { results } = await collect(decoder.decode(model, { sources: [SOURCE], maxNewTokens: 2, seed }));
      const hypotheses = results[0]?.hypotheses ?? [];
      const [first, second] = hypotheses.map(({ tokenIds }) => tokenIds.join());
      expect(first).not.toBe(second);
      pairs.set(`${first}|${second}`, (pairs.get(`${first}|${second}`) ?? 0) + 1);
    }
    let chiSquare = 0;
    let cells = 0;
    for (const a of all) {
      for (const b of all) {
        if (a === b) continue;
        const expected = (draws * a.probability * b.probability) / (1 - a.probability);
        if (expected < 5) continue;
        cells++;
        chiSquare += ((pairs.get(`${a.key}|${b.key}`) ?? 0) - expected) ** 2 / expected;
      }
    }
    expect(cells).toBeGreaterThan(20);
    // Mean cells - 1, standard deviation sqrt(2 * cells): four deviations, with fixed seeds.
    expect(chiSquare).toBeLessThan(cells + 4 * Math.sqrt(2 * cells));
  });

  it('says so where the rules leave no token', async () => {
    const model = scriptedModel({ vocabularySize: 3, score: () => [0, 1, 2] });
    const badWords = [0, 1, 2].map((id) => Int32Array.of(id));
    const decoder = stochasticBeam({ beamSize: 2, badWords });
    await assertCode(() => collect(decoder.decode(model, { sources: [SOURCE] })), 'UNSATISFIABLE_CONSTRAINT');
  });

  it('reports the model’s own log-probabilities, in the order of the perturbed ones', async () => {
    const score = randomLogits({ seed: 5, vocabularySize: 4, endTokenId: 0, typicalLength: 3 });
    const model = scriptedModel({ vocabularySize: 4, score });
    const exact = new Map(everyOutput(score, SOURCE, 4, 0, 4).map(({ output, logProb }) => [output.join(), logProb]));
    for (let seed = 0; seed < 50; seed++) {
      const decoder = stochasticBeam({ beamSize: 4 });
      const { results } = await collect(decoder.decode(model, { sources: [SOURCE], maxNewTokens: 4, seed }));
      const hypotheses = results[0]?.hypotheses ?? [];
      expect(hypotheses).toHaveLength(4);
      for (const [rank, { tokenIds, logProb, score: perturbed }] of hypotheses.entries()) {
        expect(logProb).toBeCloseTo(exact.get(tokenIds.join()) as number, 4);
        if (rank > 0) expect(perturbed).toBeLessThanOrEqual(hypotheses[rank - 1]?.score as number);
      }
    }
  });
});
