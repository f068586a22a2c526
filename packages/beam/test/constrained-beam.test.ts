import { type BeamSearchOptions, beamSearch } from '@foretoken/beam';
import { collect } from '@foretoken/core';
import { assertCode, autoregressiveConformance, eventsOf, randomLogits, scriptedModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { everyOutput } from './enumeration.js';

const SOURCE = Int32Array.of(2);
const END = 0;
const LIMIT = 4;

const contains = (output: readonly number[], phrase: Int32Array): boolean =>
  `,${output.join()},`.includes(`,${phrase.join()},`);

autoregressiveConformance({
  runner: { describe, it },
  name: 'constrained beam search',
  // One token, so that even the shortest limits of the suite can hold it.
  createDecoder: () => beamSearch({ phrases: [Int32Array.of(3)] }),
  search: true,
  models: 8,
});

describe('beam search with phrases', () => {
  const CASES: readonly NonNullable<BeamSearchOptions['phrases']>[] = [
    [Int32Array.of(2)],
    [Int32Array.of(1, 2)],
    [Int32Array.of(3), Int32Array.of(1)],
    [Int32Array.of(2, 2), Int32Array.of(1)],
    [[Int32Array.of(1, 3), Int32Array.of(2)]],
    [[Int32Array.of(3, 1), Int32Array.of(3, 2)], Int32Array.of(1)],
  ];

  it('finds the most probable output that says them, where the beam is wide enough to hold everything', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const score = randomLogits({ seed, vocabularySize: 4, endTokenId: END, typicalLength: 3, sharpness: 2 });
      const padded = (source: Int32Array, output: readonly number[]): number[] => [
        ...Array.from(score(source, output)),
        ...new Array<number>(136).fill(-1e9),
      ];
      const model = scriptedModel({ vocabularySize: 140, score: padded });
      const all = everyOutput(score, SOURCE, 4, END, LIMIT);
      for (const phrases of CASES) {
        const forms = phrases.map((phrase) => (phrase instanceof Int32Array ? [phrase] : phrase));
        const meeting = all.filter(({ output }) => forms.every((some) => some.some((form) => contains(output, form))));
        const best = Math.max(...meeting.map(({ logProb, length }) => logProb / length));
        const decoder = beamSearch({ beamSize: 135, phrases, stopWhen: 'improvement-impossible' });
        const { results } = await collect(decoder.decode(model, { sources: [SOURCE], maxNewTokens: LIMIT }));
        const found = results[0]?.hypotheses[0];
        expect(forms.every((some) => some.some((form) => contains([...(found?.tokenIds ?? [])], form)))).toBe(true);
        expect(found?.score).toBeCloseTo(best, 4);
      }
    }
  });

  it('says them with a beam of ordinary size too, whatever the model would rather say', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const score = randomLogits({ seed, vocabularySize: 12, endTokenId: END, typicalLength: 6, sharpness: 6 });
      const model = scriptedModel({ vocabularySize: 12, score });
      const phrases = [Int32Array.of(1 + (seed % 5), 7, 8), [Int32Array.of(9), Int32Array.of(10, 11)]];
      const decoder = beamSearch({ beamSize: 4, hypotheses: 2, phrases });
      const { results } = await collect(decoder.decode(model, { sources: [SOURCE], maxNewTokens: 24 }));
      expect(results[0]?.hypotheses.length).toBeGreaterThan(0);
      for (const { tokenIds } of results[0]?.hypotheses ?? []) {
        expect(contains([...tokenIds], phrases[0] as Int32Array)).toBe(true);
        expect((phrases[1] as Int32Array[]).some((form) => contains([...tokenIds], form))).toBe(true);
      }
    }
  });

  it('lets phrases overlap, so that they may need less room than all their tokens', async () => {
    const model = scriptedModel({ vocabularySize: 5, score: () => [0, 1, 1, 1, 1] });
    const phrases = [Int32Array.of(1, 2, 3), Int32Array.of(3, 4)];
    const decoder = beamSearch({ phrases });
    const { results } = await collect(decoder.decode(model, { sources: [SOURCE], maxNewTokens: 4 }));
    expect([...(results[0]?.hypotheses[0]?.tokenIds ?? [])]).toEqual([1, 2, 3, 4]);
  });

  it('goes on after a short way through a phrase, however tempting the long one is', async () => {
    const score = (_source: Int32Array, output: readonly number[]): number[] => {
      const logits = new Array<number>(12).fill(-3);
      logits[END] = -1;
      logits[output.at(-1) === 1 ? 2 : 1] = 4;
      return logits;
    };
    const model = scriptedModel({ vocabularySize: 12, score });
    for (const beamSize of [1, 2, 3, 4]) {
      const phrases = [[Int32Array.of(1, 2, 3), Int32Array.of(9)], Int32Array.of(5)];
      const decoder = beamSearch({ beamSize, phrases });
      const { results } = await collect(decoder.decode(model, { sources: [SOURCE], maxNewTokens: 20 }));
      expect(results[0]?.hypotheses[0]?.tokenIds).toContain(5);
    }
  });

  it('refuses phrases that no output can hold', async () => {
    const model = scriptedModel({ vocabularySize: 5, score: () => [0, 1, 1, 1, 1] });
    const run =
      (options: BeamSearchOptions, maxNewTokens = 4) =>
      async () =>
        eventsOf(beamSearch(options).decode(model, { sources: [SOURCE], maxNewTokens }));
    await assertCode(run({ phrases: [new Int32Array()] }), 'INVALID_ARGUMENT');
    await assertCode(run({ phrases: [[]] }), 'INVALID_ARGUMENT');
    await assertCode(run({ phrases: [Int32Array.of(5)] }), 'INVALID_ARGUMENT');
    await assertCode(run({ phrases: [Int32Array.of(1, END)] }), 'INVALID_ARGUMENT');
    await assertCode(run({ phrases: [Int32Array.of(1)], groups: 2 }), 'INVALID_ARGUMENT');
    await assertCode(run({ phrases: [Int32Array.of(1, 2, 3, 4, 1)] }), 'UNSATISFIABLE_CONSTRAINT');
    const forbidden = run({ phrases: [Int32Array.of(2)], badWords: [Int32Array.of(2)] });
    await assertCode(forbidden, 'UNSATISFIABLE_CONSTRAINT');
  });
});
