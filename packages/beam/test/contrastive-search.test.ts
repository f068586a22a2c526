import { contrastiveSearch } from '@foretoken/beam';
import { collect, ForetokenError } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import {
  autoregressiveConformance,
  logSoftmax,
  randomLogits,
  ranked,
  recording,
  scriptedModel,
} from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

autoregressiveConformance({
  runner: { describe, it },
  name: 'contrastive search',
  createDecoder: () => contrastiveSearch(),
  models: 10,
});

const SOURCE = Int32Array.of(4);
const END = 0;

const cosine = (a: readonly number[], b: readonly number[]): number => {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

/** The definition, written out: no tree, no cache. */
function reference(
  score: ReturnType<typeof randomLogits>,
  state: ReturnType<typeof randomLogits>,
  candidates: number,
  penalty: number,
  limit: number,
  min = 0,
): number[] {
  const output: number[] = [];
  const stateOf = (path: readonly number[]): number[] => Array.from(state(SOURCE, path));
  for (;;) {
    const logProbs = logSoftmax(score(SOURCE, output));
    const context = Array.from({ length: output.length + 1 }, (_, length) => stateOf(output.slice(0, length)));
    let best = -1;
    let max = Number.NEGATIVE_INFINITY;
    const possible = ranked(logProbs).filter((tokenId) => tokenId !== END || output.length >= min);
    for (const tokenId of possible.slice(0, candidates)) {
      const own = stateOf([...output, tokenId]);
      const likeness = Math.max(...context.map((other) => cosine(own, other)));
      const balance = (1 - penalty) * Math.exp(logProbs[tokenId]) - penalty * likeness;
      if (balance > max) [max, best] = [balance, tokenId];
    }
    if (best === END) return output;
    output.push(best);
    if (output.length === limit) return output;
  }
}

const models = (seed: number) => {
  const score = randomLogits({ seed, vocabularySize: 8, endTokenId: END, typicalLength: 6 });
  const state = randomLogits({ seed: seed + 500, vocabularySize: 6, endTokenId: -1 });
  return { score, state, model: scriptedModel({ vocabularySize: 8, score, state }) };
};

describe('contrastive search', () => {
  it('equals the definition', async () => {
    let unlikeGreedy = 0;
    for (let seed = 1; seed <= 150; seed++) {
      const { score, state, model } = models(seed);
      const [candidates, penalty] = [1 + (seed % 5), (seed % 4) / 4];
      const request = { sources: [SOURCE], maxNewTokens: 12 };
      const { results } = await collect(contrastiveSearch({ candidates, penalty }).decode(model, request));
      const output = [...(results[0]?.hypotheses[0]?.tokenIds ?? [])];
      expect(output).toEqual(reference(score, state, candidates, penalty, 12));
      const plain = await collect(greedy().decode(model, request));
      const greedyOutput = [...(plain.results[0]?.hypotheses[0]?.tokenIds ?? [])];
      if (penalty === 0 || candidates === 1) expect(output).toEqual(greedyOutput);
      else if (output.join() !== greedyOutput.join()) unlikeGreedy++;
    }
    expect(unlikeGreedy).toBeGreaterThan(20);
  });

  it('equals the definition without the end token before minNewTokens', async () => {
    let longer = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const { score, state, model } = models(seed);
      const [candidates, penalty, minNewTokens] = [1 + (seed % 8), (seed % 4) / 4, 1 + (seed % 9)];
      const request = { sources: [SOURCE], maxNewTokens: 12, minNewTokens };
      const { results } = await collect(contrastiveSearch({ candidates, penalty }).decode(model, request));
      const output = [...results[0].best.tokenIds];
      expect(output).toEqual(reference(score, state, candidates, penalty, 12, minNewTokens));
      if (output.length > reference(score, state, candidates, penalty, 12).length) longer++;
    }
    expect(longer).toBeGreaterThan(15);
  });

  it('feeds the candidates of a step in one forward and keeps one of them', async () => {
    const { score, state } = models(3);
    const model = recording(scriptedModel({ vocabularySize: 8, score, state }));
    const { results } = await collect(contrastiveSearch({ candidates: 3 }).decode(model, { sources: [SOURCE] }));
    const widths = model.calls.flatMap((call) => (call.call === 'extend' ? [call.tokenIds.length] : []));
    expect(new Set(widths.slice(1))).toEqual(new Set([3]));
    expect(widths.length - 1).toBe(results[0]?.hypotheses[0]?.tokenIds.length + 1);
    for (const call of model.calls) if (call.call === 'retain') expect(call.leaves).toHaveLength(1);
  });

  it('refuses options out of range', () => {
    for (const options of [{ candidates: 0 }, { penalty: 1.5 }, { penalty: Number.NaN }]) {
      let thrown: unknown;
      try {
        contrastiveSearch(options);
      } catch (error) {
        thrown = error;
      }
      expect(ForetokenError.isInstance(thrown) && thrown.code).toBe('INVALID_ARGUMENT');
    }
  });
});
