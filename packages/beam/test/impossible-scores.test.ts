import { beamSearch, contrastiveSearch, stochasticBeam } from '@foretoken/beam';
import { type AutoregressiveModel, collect, type Decoder, type TokenSource } from '@foretoken/core';
import { greedy, sampling } from '@foretoken/greedy';
import { scoreWithModel } from '@foretoken/one-shot';
import { speculative } from '@foretoken/speculative';
import { adversarialDrafter, assertCode, scriptedModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

const END = 0;
const VOCABULARY = 6;
const SOURCES = [Int32Array.of(3), Int32Array.of(4)];
const NEVER = Number.NEGATIVE_INFINITY;

type Model = AutoregressiveModel<TokenSource>;

const drafter = adversarialDrafter({
  kind: 'right',
  score: (_, output) => (output.length < 2 ? [0, 0, 1, 0, 0, 0] : [1, 0, 0, 0, 0, 0]),
  vocabularySize: VOCABULARY,
  endTokenId: END,
  seed: 1,
});

const keep = { processors: [() => {}] };

/** Every autoregressive strategy, each way in which it reads scores. */
const STRATEGIES: Readonly<Record<string, () => Decoder<Model>>> = {
  greedy: () => greedy(),
  'greedy with scores': () => greedy({ scores: true }),
  'greedy with alternatives': () => greedy({ alternatives: 3 }),
  'greedy with rules': () => greedy(keep),
  sampling: () => sampling(),
  'sampling of the top k': () => sampling({ topK: 3, alternatives: 2 }),
  'sampling with rules': () => sampling({ ...keep, scores: true }),
  'sampling at temperature 0': () => sampling({ temperature: 0 }),
  'sampling, cool and truncated': () => sampling({ temperature: 1e-3, topP: 0.9, minP: 0.1, typicalP: 0.9 }),
  'sampling with mirostat': () => sampling({ mirostat: { surprise: 3 } }),
  'sampling several': () => sampling({ hypotheses: 3, scores: true }),
  'beam search': () => beamSearch({ beamSize: 3, hypotheses: 3 }),
  'beam search with rules': () => beamSearch({ ...keep, beamSize: 3, hypotheses: 3 }),
  'diverse beam search': () => beamSearch({ beamSize: 4, groups: 2, hypotheses: 4, diversityPenalty: 5 }),
  'constrained beam search': () => beamSearch({ beamSize: 3, hypotheses: 3, phrases: [Int32Array.of(2)] }),
  'stochastic beam search': () => stochasticBeam({ beamSize: 3 }),
  'contrastive search': () => contrastiveSearch({ candidates: 4, penalty: 0.6 }),
  speculative: () => speculative({ drafter }),
  'speculative with scores': () => speculative({ drafter, scores: true }),
};

/** Speaks 2 2, then ends; `bad` may change the scores that the second row gets after one token. */
function modelOf(bad: (logits: number[], position: number, row: number) => void = () => {}): Model {
  return scriptedModel({
    vocabularySize: VOCABULARY,
    endTokenId: END,
    score: (source, output) => {
      const logits = new Array<number>(VOCABULARY).fill(NEVER);
      logits[output.length < 2 ? 2 : END] = 1;
      bad(logits, output.length, source[0] === 4 ? 1 : 0);
      return logits;
    },
    state: (_, output) => [1, output.length, output.at(-1) ?? 0],
  });
}

const run = (strategy: () => Decoder<Model>, model: Model) =>
  collect(strategy().decode(model, { sources: SOURCES, maxNewTokens: 8 }));

for (const [name, strategy] of Object.entries(STRATEGIES)) {
  describe(`${name}: scores`, () => {
    it('a token of probability 0 is never part of an output', async () => {
      const { results } = await run(strategy, modelOf());
      for (const { hypotheses } of results) {
        expect(hypotheses.length).toBeGreaterThan(0);
        for (const { tokenIds, finishReason, score, logProb, alternatives } of hypotheses) {
          expect([...tokenIds]).toEqual([2, 2]);
          expect(finishReason).toBe('end-token');
          if (score !== undefined) expect(score).not.toBeNaN();
          if (logProb !== undefined) expect(logProb).toBeCloseTo(0, 5);
          for (const { logProbs } of alternatives ?? []) expect([...logProbs]).not.toContain(NEVER);
        }
      }
    });

    it('where nothing is possible it says so, naming row and position', async () => {
      const nothing = modelOf((logits, position, row) => {
        if (row === 1 && position === 1) logits.fill(NEVER);
      });
      await assertCode(() => run(strategy, nothing), 'UNSATISFIABLE_CONSTRAINT');
      const named = await run(strategy, nothing).catch((error) => error.details);
      expect(named).toMatchObject(name.startsWith('constrained') ? { row: 1 } : { row: 1, position: 1 });
    });

    it('a score that is NaN or +Infinity is refused, naming row and position', async () => {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
        for (const where of [[2], [5], [0, 1, 2, 3, 4, 5]]) {
          const broken = modelOf((logits, position, row) => {
            if (row === 1 && position === 1) for (const tokenId of where) logits[tokenId] = bad;
          });
          await assertCode(() => run(strategy, broken), 'INVALID_SCORES');
          const named = await run(strategy, broken).catch((error) => error.details);
          expect(named).toMatchObject({ row: 1, position: 1 });
        }
      }
    });
  });
}

describe('a rule of yours', () => {
  it('that gives NaN or +Infinity is refused in every strategy with rules', async () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const rules = { processors: [(scores: Float32Array) => void scores.fill(bad, 3, 4)] };
      const decoders = [greedy(rules), sampling(rules), beamSearch({ ...rules, beamSize: 2 }), stochasticBeam(rules)];
      for (const decoder of decoders) await assertCode(() => run(() => decoder, modelOf()), 'INVALID_SCORES');
    }
  });

  it('that raises what the model rules out reports a log-probability of -Infinity, not NaN', async () => {
    const model = modelOf((logits) => logits.fill(NEVER));
    const decoder = greedy({ tokenLogProbs: true, processors: [(scores) => void scores.fill(0, END, END + 1)] });
    const { results } = await run(() => decoder, model);
    expect([...(results[0]?.best.tokenLogProbs ?? [])]).toEqual([NEVER]);
  });
});

describe('constrained beam search', () => {
  it('says no phrase of probability 0, but that there is none', async () => {
    for (const phrase of [3, 5]) {
      const decoder = beamSearch({ beamSize: 3, hypotheses: 3, phrases: [Int32Array.of(phrase)] });
      await assertCode(() => run(() => decoder, modelOf()), 'UNSATISFIABLE_CONSTRAINT');
    }
  });
});

describe('contrastive search', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses hidden states that are %d, and says so', async (odd) => {
    const model = scriptedModel({
      vocabularySize: VOCABULARY,
      score: () => [0, 1, 2, 1, 0, 0],
      state: (_, output) => [output.length === 2 ? odd : 1, 1],
    });
    await assertCode(() => run(() => contrastiveSearch(), model), 'INVALID_SCORES');
    await expect(run(() => contrastiveSearch(), model)).rejects.toMatchObject({ details: { received: odd } });
  });
});

describe('scoring with a model', () => {
  it('gives what is impossible a probability of 0, and refuses scores that are none', async () => {
    const outputs = (['logProbs', 'logits'] as const).map((output) => [output] as const);
    for (const supported of outputs) {
      const supports = { outputs: supported };
      const of = (score: (output: readonly number[]) => number[]): Model =>
        scriptedModel({ vocabularySize: 3, supports, score: (_, output) => score(output) });
      const candidates = [[[1], [2, 1]]];
      const one = of((output) => (output.length === 0 ? [NEVER, 0, NEVER] : [0, 0, NEVER]));
      const [found] = await scoreWithModel(one, [SOURCES[0]], candidates);
      expect(found[0]).toBeCloseTo(Math.log(0.5), 5);
      expect(found[1]).toBe(NEVER);
      const none = of(() => [NEVER, NEVER, NEVER]);
      expect([...(await scoreWithModel(none, [SOURCES[0]], candidates))[0]]).toEqual([NEVER, NEVER]);
      const broken = of((output) => (output.length === 1 ? [0, Number.NaN, 0] : [0, 0, 0]));
      await assertCode(() => scoreWithModel(broken, [SOURCES[0]], candidates), 'INVALID_SCORES');
    }
  });
});
