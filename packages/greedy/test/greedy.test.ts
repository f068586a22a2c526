import { collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { autoregressiveConformance, randomLogits, recording, referenceGreedy, scriptedModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

autoregressiveConformance({ runner: { describe, it }, name: 'greedy', createDecoder: () => greedy() });
autoregressiveConformance({
  runner: { describe, it },
  name: 'greedy with scores',
  createDecoder: () => greedy({ scores: true }),
});

describe('greedy', () => {
  it('equals the reference loop on a thousand random models, scores included', async () => {
    for (let seed = 1; seed <= 1000; seed++) {
      const vocabularySize = 3 + (seed % 8);
      const score = randomLogits({ seed, vocabularySize, endTokenId: 0, typicalLength: 1 + (seed % 9) });
      const prefix = Array.from({ length: 1 + (seed % 3) }, () => 1);
      const model = scriptedModel({ vocabularySize, score, prefix, maxLength: prefix.length + (seed % 12) });
      const sources = [Int32Array.of(seed), Int32Array.of(seed, 1)];
      const { results } = await collect(greedy({ scores: true }).decode(model, { sources }));
      for (const [row, source] of sources.entries()) {
        const limit = model.maxLength - prefix.length + 1;
        const expected = referenceGreedy(source, { score, endTokenId: 0, limit });
        const best = results[row]?.hypotheses[0];
        expect([...(best?.tokenIds ?? [])]).toEqual(expected.tokenIds);
        expect(best?.finishReason).toBe(expected.finishReason);
        expect(best?.score).toBeCloseTo(expected.score, 4);
      }
    }
  });

  it('follows a script, takes the lowest id among equals, and needs one forward a token', async () => {
    const script = [[4, 4, 9], [5], [3], [0]];
    const score = (_source: Int32Array, output: readonly number[]): number[] => {
      const logits = new Array<number>(6).fill(0);
      if (output.length === 0) logits[4] = logits[5] = 2;
      else logits[script[output.length][0]] = 1;
      return logits;
    };
    const model = recording(scriptedModel({ vocabularySize: 6, score, prefix: [1, 2] }));
    const { results, statistics } = await collect(greedy().decode(model, { sources: [Int32Array.of(1)] }));
    expect(results[0]?.hypotheses).toEqual([{ tokenIds: Int32Array.of(4, 5, 3), finishReason: 'end-token' }]);
    expect(statistics).toMatchObject({ forwards: 4, tokens: 3 });
    const forwards = model.calls
      .filter((call) => call.call === 'extend')
      .map((call) => call.call === 'extend' && call.tokenIds);
    expect(forwards).toEqual([[1, 2], [4], [5], [3]]);
  });

  it('gives no score unless asked, and asks the model for no more than it needs', async () => {
    const score = randomLogits({ seed: 1, vocabularySize: 5, endTokenId: 0 });
    const model = recording(scriptedModel({ vocabularySize: 5, score, supports: { outputs: ['argmax'] } }));
    const { results } = await collect(greedy().decode(model, { sources: [Int32Array.of(1)] }));
    expect(results[0]?.hypotheses[0]).not.toHaveProperty('score');
    expect(new Set(model.calls.map((call) => (call.call === 'extend' ? call.output : 'argmax')))).toEqual(
      new Set(['argmax']),
    );
  });
});
