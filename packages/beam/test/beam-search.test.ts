import { type BeamSearchOptions, beamSearch } from '@foretoken/beam';
import { type AutoregressiveModel, collect, ForetokenError, type TokenSource } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import {
  assertCode,
  autoregressiveConformance,
  eventsOf,
  logSoftmax,
  randomLogits,
  recording,
  scriptedModel,
} from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { everyOutput } from './enumeration.js';

for (const [name, options] of Object.entries({
  'beam search': {},
  'beam search with rules': { noRepeatNgramSize: 2, repetitionPenalty: 1.1, beamSize: 3 },
  'diverse beam search': { beamSize: 4, groups: 2 },
  'beam search until full': { beamSize: 5, stopWhen: 'full', patience: 2, lengthNormalisation: 'gnmt' },
} satisfies Record<string, BeamSearchOptions>)) {
  autoregressiveConformance({
    runner: { describe, it },
    name,
    createDecoder: () => beamSearch(options),
    search: true,
    models: 10,
  });
}

const END = 0;
const SOURCE = Int32Array.of(3);

/** Log-probability of an output under the model, computed from scratch. */
function rescored(score: ReturnType<typeof randomLogits>, output: readonly number[], ended: boolean): number {
  const path = ended ? [...output, END] : output;
  return path.reduce<number>(
    (sum, tokenId, position) => sum + logSoftmax(score(SOURCE, path.slice(0, position)))[tokenId],
    0,
  );
}

describe('beam search', () => {
  it('finds the optimum and the whole n-best list where the beam is wide enough to hold everything', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const vocabularySize = 3 + (seed % 2);
      const limit = 4;
      const score = randomLogits({ seed, vocabularySize, endTokenId: END, typicalLength: 3, sharpness: 2 });
      const all = everyOutput(score, SOURCE, vocabularySize, END, limit);
      const model = scriptedModel({ vocabularySize, score });
      for (const [lengthPenalty, lengthNormalisation] of [
        [0, 'power'],
        [1, 'power'],
        [0.6, 'gnmt'],
        [-1, 'power'],
      ] as const) {
        const normalised = all
          .map(({ output, logProb, length }) => {
            const base = lengthNormalisation === 'gnmt' ? (5 + length) / 6 : length;
            return { output, score: logProb / base ** lengthPenalty };
          })
          .sort((a, b) => b.score - a.score);
        const decoder = beamSearch({
          beamSize: 160,
          hypotheses: 5,
          lengthPenalty,
          lengthNormalisation,
          stopWhen: 'improvement-impossible',
        });
        const { results } = await collect(decoder.decode(model, { sources: [SOURCE], maxNewTokens: limit }));
        for (const [rank, hypothesis] of (results[0]?.hypotheses ?? []).entries()) {
          expect(hypothesis.score).toBeCloseTo(normalised[rank]?.score, 4);
        }
        expect(results[0]?.hypotheses).toHaveLength(5);
      }
    }
  });

  it('scores every hypothesis as scoring it again does, for every kind of beam', async () => {
    const kinds: readonly BeamSearchOptions[] = [
      { beamSize: 3, hypotheses: 3 },
      { beamSize: 4, hypotheses: 4, groups: 2, diversityPenalty: 1 },
      { beamSize: 4, hypotheses: 4, stopWhen: 'full', lengthPenalty: 0 },
      { beamSize: 5, hypotheses: 5, patience: 2 },
      { beamSize: 4, hypotheses: 4, badWords: [Int32Array.of(2, 2)] },
    ];
    for (let seed = 1; seed <= 60; seed++) {
      const score = randomLogits({ seed, vocabularySize: 7, endTokenId: END, typicalLength: 5 });
      const model = scriptedModel({ vocabularySize: 7, score });
      for (const options of kinds) {
        const { results } = await collect(beamSearch(options).decode(model, { sources: [SOURCE], maxNewTokens: 9 }));
        const hypotheses = results[0]?.hypotheses ?? [];
        expect(hypotheses.length).toBeGreaterThan(0);
        const outputs = hypotheses.map(({ tokenIds }) => tokenIds.join());
        expect(new Set(outputs).size).toBe(outputs.length);
        for (const [rank, { tokenIds, logProb, score: ranked, finishReason }] of hypotheses.entries()) {
          const ended = finishReason === 'end-token';
          expect(logProb).toBeCloseTo(rescored(score, [...tokenIds], ended), 4);
          const length = tokenIds.length + Number(ended);
          const power = options.lengthPenalty ?? 1;
          expect(ranked).toBeCloseTo((logProb as number) / length ** power, 5);
          if (rank > 0) expect(ranked).toBeLessThanOrEqual(hypotheses[rank - 1]?.score as number);
        }
      }
    }
  });

  it('with one beam is greedy', async () => {
    for (let seed = 1; seed <= 100; seed++) {
      const score = randomLogits({ seed, vocabularySize: 6, endTokenId: END });
      const model = scriptedModel({ vocabularySize: 6, score });
      const request = { sources: [SOURCE, Int32Array.of(seed)] };
      const one = await collect(beamSearch({ beamSize: 1, stopWhen: 'full' }).decode(model, request));
      const plain = await collect(greedy().decode(model, request));
      expect(one.results.map(({ hypotheses }) => hypotheses[0]?.tokenIds)).toEqual(
        plain.results.map(({ hypotheses }) => hypotheses[0]?.tokenIds),
      );
    }
  });

  it('is never worse than greedy when it compares plain log-probabilities to the end', async () => {
    let better = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const score = randomLogits({ seed, vocabularySize: 6, endTokenId: END, sharpness: 2 });
      const model = scriptedModel({ vocabularySize: 6, score, maxLength: 12 });
      const exhaustive = beamSearch({ beamSize: 6, lengthPenalty: 0, stopWhen: 'improvement-impossible' });
      const [beam, plain] = await Promise.all([
        collect(exhaustive.decode(model, { sources: [SOURCE] })),
        collect(greedy({ scores: true }).decode(model, { sources: [SOURCE] })),
      ]);
      const [a, b] = [beam, plain].map(({ results }) => results[0]?.hypotheses[0]?.score as number) as [number, number];
      expect(a).toBeGreaterThanOrEqual(b - 1e-6);
      if (a > b + 1e-6) better++;
    }
    expect(better).toBeGreaterThan(20);
  });

  it('keeps one tree a row: each forward adds at most the beam, and what no branch stands on is released', async () => {
    const score = randomLogits({ seed: 4, vocabularySize: 9, endTokenId: END, typicalLength: 10 });
    const model = recording(scriptedModel({ vocabularySize: 9, score, prefix: [1, 2] }));
    await collect(beamSearch({ beamSize: 4 }).decode(model, { sources: [SOURCE] }));
    const extended = model.calls.flatMap((call) => (call.call === 'extend' ? [call.tokenIds.length] : []));
    expect(extended[0]).toBe(2);
    expect(Math.max(...extended.slice(1))).toBe(4);
    const retained = model.calls.flatMap((call) => (call.call === 'retain' ? [call.leaves.length] : []));
    expect(retained).toHaveLength(extended.length - 1);
    expect(Math.max(...retained)).toBeLessThanOrEqual(4);
    expect(model.calls.filter(({ call }) => call === 'open')).toHaveLength(1);
  });

  it('groups differ where one group would not, and a penalty of 0 makes them equal', async () => {
    let different = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const score = randomLogits({ seed, vocabularySize: 8, endTokenId: END });
      const model = scriptedModel({ vocabularySize: 8, score });
      const run = async (diversityPenalty: number) => {
        const decoder = beamSearch({ beamSize: 2, groups: 2, hypotheses: 2, diversityPenalty });
        const { results } = await collect(decoder.decode(model, { sources: [SOURCE], maxNewTokens: 6 }));
        return results[0]?.hypotheses ?? [];
      };
      expect(await run(0)).toHaveLength(1);
      const [first, second] = await run(100);
      if (second === undefined) continue;
      const shared = Math.min(first?.tokenIds.length ?? 0, second.tokenIds.length);
      // With a penalty beyond every score no position holds the same token twice.
      const clash = Array.from({ length: shared }, (_, at) => first?.tokenIds[at] === second.tokenIds[at]);
      expect(clash).not.toContain(true);
      different++;
    }
    expect(different).toBeGreaterThan(30);
  });

  it('starts from an output prefix, which counts as output but not in scores or lengths', async () => {
    const score = randomLogits({ seed: 8, vocabularySize: 7, endTokenId: END });
    const model = scriptedModel({ vocabularySize: 7, score });
    const request = { sources: [SOURCE], outputPrefixes: [Int32Array.of(5, 6)], maxNewTokens: 8 };
    const { results } = await collect(beamSearch({ hypotheses: 4 }).decode(model, request));
    expect(results[0]?.hypotheses).toHaveLength(4);
    for (const { tokenIds, logProb, score: ranked, finishReason } of results[0]?.hypotheses ?? []) {
      expect([...tokenIds.slice(0, 2)]).toEqual([5, 6]);
      const ended = finishReason === 'end-token';
      const forced = rescored(score, [5, 6], false);
      expect(logProb).toBeCloseTo(rescored(score, [...tokenIds], ended) - forced, 4);
      expect(ranked).toBeCloseTo((logProb as number) / (tokenIds.length - 2 + Number(ended)), 5);
    }
  });

  it('streams what is settled early, and what it believes all along', async () => {
    let early = 0;
    for (let seed = 1; seed <= 30; seed++) {
      const score = randomLogits({ seed, vocabularySize: 5, endTokenId: END, sharpness: 8 });
      const model = scriptedModel({ vocabularySize: 5, score });
      const events = await eventsOf(beamSearch({ beamSize: 2 }).decode(model, { sources: [SOURCE] }));
      const firstCommit = events.findIndex(({ type }) => type === 'token-commit');
      const lastRevise = events.findLastIndex(({ type }) => type === 'canvas-revise');
      if (firstCommit >= 0 && firstCommit < lastRevise) early++;
    }
    expect(early).toBeGreaterThan(10);
  });

  it('shows the best hypothesis as it stands, finished or not', async () => {
    let finishedFirst = 0;
    for (let seed = 1; seed <= 30; seed++) {
      const score = randomLogits({ seed, vocabularySize: 6, endTokenId: END, typicalLength: 3 });
      const model = scriptedModel({ vocabularySize: 6, score });
      const decoder = beamSearch({ stopWhen: 'improvement-impossible' });
      const events = await eventsOf(decoder.decode(model, { sources: [SOURCE], maxNewTokens: 12 }));
      const shown = events.filter((event) => event.type === 'canvas-revise').at(-1);
      const end = events.at(-1);
      if (shown?.type !== 'canvas-revise' || end?.type !== 'decode-end') continue;
      if (shown.tokenIds.join() === end.results[0]?.hypotheses[0]?.tokenIds.join()) finishedFirst++;
    }
    expect(finishedFirst).toBeGreaterThan(15);
  });

  it('refuses what is out of range or contradicts itself', async () => {
    const wrong: readonly BeamSearchOptions[] = [
      { beamSize: 0 },
      { beamSize: 2.5 },
      { beamSize: 2, hypotheses: 3 },
      { hypotheses: 0 },
      { lengthPenalty: Number.NaN },
      { lengthNormalisation: 'wu' as 'gnmt' },
      { stopWhen: 'never' as 'full' },
      { patience: 0 },
      { beamSize: 4, hypotheses: 4, patience: 0.5 },
      { beamSize: 4, groups: 3 },
      { diversityPenalty: 1 },
      { groups: 2, diversityPenalty: -1 },
      { badWords: [new Int32Array()] },
    ];
    for (const options of wrong) {
      let thrown: unknown;
      try {
        beamSearch(options);
      } catch (error) {
        thrown = error;
      }
      expect(ForetokenError.isInstance(thrown) && thrown.code, JSON.stringify(options)).toBe('INVALID_ARGUMENT');
    }
    const score = randomLogits({ seed: 1, vocabularySize: 5, endTokenId: END });
    const unopened: AutoregressiveModel<TokenSource> = {
      ...scriptedModel({ vocabularySize: 5, score }),
      open: () => Promise.reject(new Error('opened')),
    };
    const run =
      (options: BeamSearchOptions, request = {}) =>
      () =>
        eventsOf(beamSearch(options).decode(unopened, { sources: [SOURCE], ...request }));
    await assertCode(run({}, { minNewTokens: 100 }), 'INVALID_ARGUMENT');
    const few: AutoregressiveModel<TokenSource> = {
      ...unopened,
      supports: { ...unopened.supports, outputs: ['topK'], maxCandidates: 4 },
    };
    const narrow = beamSearch({ beamSize: 3 });
    await assertCode(() => eventsOf(narrow.decode(few, { sources: [SOURCE] })), 'UNSUPPORTED_CAPABILITY');
    const longer = beamSearch({ beamSize: 2 }).decode(few, { sources: [SOURCE], minNewTokens: 2 });
    await assertCode(() => eventsOf(longer), 'UNSUPPORTED_CAPABILITY');
    const model = scriptedModel({ vocabularySize: 5, score });
    const all = Array.from({ length: 5 }, (_, id) => Int32Array.of(id));
    const impossible = beamSearch({ badWords: all }).decode(model, { sources: [SOURCE] });
    await assertCode(() => eventsOf(impossible), 'UNSATISFIABLE_CONSTRAINT');
  });
});
