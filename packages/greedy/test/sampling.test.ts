import { collect, ForetokenError } from '@foretoken/core';
import { greedy, type SamplingOptions, sampling } from '@foretoken/greedy';
import { autoregressiveConformance, randomScriptedModel, recording, scriptedModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

autoregressiveConformance({ runner: { describe, it }, name: 'sampling', createDecoder: () => sampling() });
autoregressiveConformance({
  runner: { describe, it },
  name: 'sampling of several',
  createDecoder: () => sampling({ hypotheses: 3, topK: 4, scores: true }),
  search: true,
});
autoregressiveConformance({
  runner: { describe, it },
  name: 'sampling with mirostat',
  createDecoder: () => sampling({ mirostat: { surprise: 1.5 } }),
});

/** Ten tokens, the end token 0 ruled out, so that one forward gives one token. */
const LOGITS = [-1e9, 2.1, 1.7, 1.6, 0.4, 0.3, -0.2, -1, -2.5, -4];

function softmax(scores: readonly number[]): number[] {
  const max = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - max));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

const renormalised = (probabilities: readonly number[], keep: (p: number, index: number) => boolean): number[] => {
  const kept = probabilities.map((p, index) => (keep(p, index) ? p : 0));
  const sum = kept.reduce((total, p) => total + p, 0);
  return kept.map((p) => p / sum);
};

/** Tokens in this order until their mass is reached, by the definition. */
const nucleus = (probabilities: readonly number[], mass: number, rank: (p: number) => number): Set<number> => {
  const order = [...probabilities.keys()].sort((a, b) => rank(probabilities[b]) - rank(probabilities[a]));
  const kept = new Set<number>();
  let sum = 0;
  for (const index of order) {
    if (sum >= mass) break;
    kept.add(index);
    sum += probabilities[index];
  }
  return kept;
};

const P = softmax(LOGITS);
const ENTROPY = -P.reduce((sum, p) => (p > 0 ? sum + p * Math.log(p) : sum), 0);

/** The exact distribution each option asks for, from its definition. */
const CASES: readonly (readonly [string, SamplingOptions, readonly number[]])[] = [
  ['nothing cut', {}, P],
  ['temperature', { temperature: 0.6 }, softmax(LOGITS.map((logit) => logit / 0.6))],
  ['top-k', { topK: 3 }, renormalised(P, (_, index) => [1, 2, 3].includes(index))],
  ['top-p', { topP: 0.8 }, renormalised(P, (_, index) => nucleus(P, 0.8, (p) => p).has(index))],
  ['min-p', { minP: 0.15 }, renormalised(P, (p) => p >= 0.15 * Math.max(...P))],
  [
    'typical-p',
    { typicalP: 0.6 },
    renormalised(P, (_, index) =>
      nucleus(P, 0.6, (p) => (p > 0 ? -Math.abs(-Math.log(p) - ENTROPY) : -1e9)).has(index),
    ),
  ],
  ['epsilon', { epsilonCutoff: 0.05 }, renormalised(P, (p) => p >= 0.05)],
  ['eta', { etaCutoff: 0.1 }, renormalised(P, (p) => p >= Math.min(0.1, Math.sqrt(0.1) * Math.exp(-ENTROPY)))],
  ['mirostat', { mirostat: { surprise: 1.2 } }, renormalised(P, (p) => -Math.log2(p) <= 2.4)],
  [
    'all in order',
    { temperature: 1.3, topK: 6, topP: 0.9, minP: 0.2 },
    (() => {
      const hot = softmax(LOGITS.map((logit) => logit / 1.3));
      const top = renormalised(hot, (_, index) => index >= 1 && index <= 6);
      const mass = nucleus(top, 0.9, (p) => p);
      const cut = renormalised(top, (_, index) => mass.has(index));
      return renormalised(cut, (p) => p >= 0.2 * Math.max(...cut));
    })(),
  ],
  ['logit bias', { logitBias: new Map([[1, Number.NEGATIVE_INFINITY]]) }, renormalised(P, (_, index) => index !== 1)],
];

const DRAWS = 4000;

describe('sampling draws from the exact distribution', () => {
  for (const [name, options, expected] of CASES) {
    for (const fewCandidates of [false, true]) {
      it(`${name}${fewCandidates ? ', from a model without top k' : ''}`, async () => {
        const supports = fewCandidates ? { maxCandidates: 0 } : {};
        const model = scriptedModel({ vocabularySize: LOGITS.length, score: () => LOGITS, supports });
        const request = { sources: [Int32Array.of(1)], maxNewTokens: 1, seed: 20 };
        const { results } = await collect(sampling({ ...options, hypotheses: DRAWS }).decode(model, request));
        const counts = new Array<number>(LOGITS.length).fill(0);
        for (const { tokenIds } of results[0]?.hypotheses ?? []) {
          counts[tokenIds[0]] = counts[tokenIds[0]] + 1;
        }
        let chiSquare = 0;
        for (const [tokenId, p] of expected.entries()) {
          if (p === 0) expect(counts[tokenId]).toBe(0);
          else if (p * DRAWS > 5) chiSquare += (counts[tokenId] - p * DRAWS) ** 2 / (p * DRAWS);
        }
        // 31.8 is exceeded once in ten thousand at 8 degrees of freedom; seeds are fixed, so this never flickers.
        expect(chiSquare).toBeLessThan(31.8);
      });
    }
  }

  it('draws each sample, position and row independently', async () => {
    const model = scriptedModel({ vocabularySize: 3, score: () => [-1e9, 0, 0] });
    const sources = Array.from({ length: 40 }, (_, row) => Int32Array.of(row));
    const request = { sources, maxNewTokens: 20, seed: 3 };
    const { results } = await collect(sampling({ hypotheses: 5 }).decode(model, request));
    const outputs = results.flatMap(({ hypotheses }) => hypotheses.map(({ tokenIds }) => tokenIds.join('')));
    expect(new Set(outputs).size).toBe(200);
    const ones = outputs.join('').split('1').length - 1;
    expect(Math.abs(ones - 2000)).toBeLessThan(4 * Math.sqrt(1000));
  });
});

describe('sampling', () => {
  it('gives a seed the same output alone, in any batch, and in any order', async () => {
    const model = randomScriptedModel({ seed: 5, vocabularySize: 12, sharpness: 1 });
    const sources = Array.from({ length: 9 }, (_, row) => Int32Array.of(row, 3));
    const decode = async (rows: readonly Int32Array[], seed: number) => {
      const { results } = await collect(sampling({ hypotheses: 2 }).decode(model, { sources: rows, seed }));
      return results.map(({ hypotheses }) => hypotheses.map(({ tokenIds }) => [...tokenIds]));
    };
    const together = await decode(sources, 77);
    expect(await decode([...sources].reverse(), 77)).toEqual([...together].reverse());
    for (const [row, source] of sources.entries()) expect(await decode([source], 77)).toEqual([together[row]]);
    expect(await decode(sources, 78)).not.toEqual(together);
  });

  it('at temperature 0 is greedy, and a top-k head gives what the whole vocabulary gives', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const sources = [Int32Array.of(seed), Int32Array.of(2, seed)];
      const random = { seed, vocabularySize: 9 };
      const run = async (decoder: ReturnType<typeof sampling>, supports = {}) =>
        (await collect(decoder.decode(randomScriptedModel({ ...random, supports }), { sources, seed }))).results;
      expect(await run(sampling({ temperature: 0 }))).toEqual(await run(greedy()));
      const few = sampling({ topK: 3, temperature: 0.8, topP: 0.9 });
      expect(await run(few, { maxCandidates: 0 })).toEqual(await run(few));
    }
  });

  it('keeps exactly k tokens at a tie, whichever head they come from', async () => {
    for (const supports of [{}, { maxCandidates: 0 }]) {
      const model = scriptedModel({ vocabularySize: 6, score: () => [-20, 1, 1, 1, 1, 1], supports });
      const decoder = sampling({ topK: 2, hypotheses: 60 });
      const { results } = await collect(decoder.decode(model, { sources: [Int32Array.of(1)], maxNewTokens: 1 }));
      expect(new Set(results[0]?.hypotheses.map(({ tokenIds }) => tokenIds[0]))).toEqual(new Set([1, 2]));
    }
  });

  it('takes the best token at a temperature so low that scores would overflow', async () => {
    const model = scriptedModel({ vocabularySize: 4, score: () => [1, 20, 5, 3] });
    const decoder = sampling({ temperature: 1e-38 });
    const { results } = await collect(decoder.decode(model, { sources: [Int32Array.of(1)], maxNewTokens: 3 }));
    expect([...(results[0]?.hypotheses[0]?.tokenIds ?? [])]).toEqual([1, 1, 1]);
  });

  it('holds the mean surprise of mirostat near its target, and draws within the bound that this leaves', async () => {
    // 400 tokens, each less probable than the one before; surprises in bits.
    const vocabularySize = 400;
    const logits = Array.from({ length: vocabularySize }, (_, id) => (id === 0 ? -1e9 : -1.2 * Math.log(id)));
    const bits = softmax(logits).map((p) => -Math.log2(p));
    const model = scriptedModel({ vocabularySize, maxLength: 500, score: () => logits });
    for (const surprise of [1, 2, 3.5]) {
      const decoder = sampling({ mirostat: { surprise, rate: 0.2 } });
      const { results } = await collect(decoder.decode(model, { sources: [Int32Array.of(1)], maxNewTokens: 400 }));
      let bound = 2 * surprise;
      const seen = Array.from(results[0].best.tokenIds, (tokenId) => {
        const kept = bits.map((own) => (own <= bound + 1e-3 ? 2 ** -own : 0)).reduce((sum, p) => sum + p, 0);
        expect(tokenId === 1 || bits[tokenId] <= bound + 1e-3).toBe(true);
        const own = kept === 0 ? 0 : bits[tokenId] + Math.log2(kept);
        bound -= 0.2 * (own - surprise);
        return own;
      });
      const mean = seen.slice(100).reduce((sum, own) => sum + own, 0) / 300;
      expect(Math.abs(mean - surprise)).toBeLessThan(0.3);
    }
  });

  it('scores a prefix once for all samples, and a sample that is over costs nothing more', async () => {
    const model = recording(randomScriptedModel({ seed: 2, vocabularySize: 6, typicalLength: 3, prefix: [1, 2, 3] }));
    const { results } = await collect(
      sampling({ hypotheses: 6 }).decode(model, { sources: [Int32Array.of(4)], seed: 9 }),
    );
    const widths = model.calls.flatMap((call) => (call.call === 'extend' ? [call.tokenIds.length] : []));
    expect(widths[0]).toBe(3);
    const lengths = results[0]?.hypotheses.map(({ tokenIds }) => tokenIds.length) ?? [];
    for (const [forward, width] of widths.slice(1).entries()) {
      expect(width).toBe(lengths.filter((length) => length > forward).length);
    }
  });

  it('reports log-probabilities of the model alone, and the best alternatives', async () => {
    const model = scriptedModel({ vocabularySize: LOGITS.length, score: () => LOGITS });
    for (const options of [{ topK: 3 }, { topK: 3, presencePenalty: 1 }]) {
      const decoder = sampling({ ...options, temperature: 0.5, scores: true, alternatives: 2 });
      const { results } = await collect(decoder.decode(model, { sources: [Int32Array.of(1)], maxNewTokens: 4 }));
      const best = results[0]?.hypotheses[0];
      const tokenLogProbs = [...(best?.tokenLogProbs ?? [])];
      expect(tokenLogProbs).toHaveLength(4);
      for (const [index, logProb] of tokenLogProbs.entries()) {
        expect(logProb).toBeCloseTo(Math.log(P[best?.tokenIds[index]]), 5);
        expect([...(best?.alternatives?.[index]?.tokenIds ?? [])]).toEqual([1, 2]);
      }
      expect(best?.score).toBeCloseTo(
        tokenLogProbs.reduce((sum, logProb) => sum + logProb, 0),
        5,
      );
    }
  });

  it('refuses options that are out of range or contradict one another, before any compute', async () => {
    const wrong: readonly SamplingOptions[] = [
      { temperature: -1 },
      { temperature: Number.NaN },
      { temperature: 0, hypotheses: 2 },
      { topK: 0 },
      { topP: 0 },
      { topP: 1.01 },
      { minP: -0.1 },
      { typicalP: 2 },
      { epsilonCutoff: 1 },
      { etaCutoff: 0 },
      { mirostat: { surprise: 0 } },
      { mirostat: { surprise: 3 }, topK: 4 },
      { mirostat: { surprise: 3 }, temperature: 0 },
      { hypotheses: 0 },
      { hypotheses: 1.5 },
      { alternatives: -1 },
      { repetitionPenalty: 0 },
      { noRepeatNgramSize: 0 },
      { badWords: [new Int32Array()] },
      { logitBias: new Map([[1, Number.NaN]]) },
      { logitBias: new Map([[1, 1e39]]) },
    ];
    for (const options of wrong) {
      let thrown: unknown;
      try {
        sampling(options);
      } catch (error) {
        thrown = error;
      }
      expect(ForetokenError.isInstance(thrown) && thrown.code, JSON.stringify(options)).toBe('INVALID_ARGUMENT');
    }
  });

  it('requires what it reads: the top-k head for topK alone, logits beyond that head or with rules', async () => {
    const outputsOf = (options: SamplingOptions): unknown => {
      const { requires } = sampling(options);
      return requires.model === 'autoregressive' ? requires.outputs : undefined;
    };
    expect(outputsOf({ topK: 3 })).toEqual(['topK']);
    expect(outputsOf({ topK: 3, topP: 0.9, temperature: 0.5, scores: true, alternatives: 2 })).toEqual(['topK']);
    expect(outputsOf({})).toEqual(['logits']);
    expect(outputsOf({ topK: 3, repetitionPenalty: 1.1 })).toEqual(['logits']);
    const narrow = (outputs: readonly ('topK' | 'logits')[]) =>
      randomScriptedModel({ seed: 1, vocabularySize: 9, supports: { outputs, maxCandidates: 4 } });
    const run = (options: SamplingOptions, outputs: readonly ('topK' | 'logits')[]) =>
      collect(sampling(options).decode(narrow(outputs), { sources: [Int32Array.of(2)], seed: 5, maxNewTokens: 6 }));
    const { results } = await run({ topK: 3 }, ['topK']);
    expect(results[0]?.best.tokenIds).toEqual(
      (await run({ topK: 3, logitBias: { 0: 0 } }, ['logits'])).results[0]?.best.tokenIds,
    );
    expect((await run({ topK: 6 }, ['topK', 'logits'])).results).toHaveLength(1);
    for (const options of [{ topK: 6 }, { topK: 2, alternatives: 6 }, {}]) {
      await expect(run(options, ['topK'])).rejects.toMatchObject({ code: 'UNSUPPORTED_CAPABILITY' });
    }
  });
});
