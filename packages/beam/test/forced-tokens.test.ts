import { type BeamSearchOptions, beamSearch } from '@foretoken/beam';
import { collect } from '@foretoken/core';
import { assertCode, randomLogits, recording, scriptedModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

const END = 0;
const SOURCES = [Int32Array.of(3), Int32Array.of(4)];

const SEARCHES: Readonly<Record<string, BeamSearchOptions>> = {
  'beam search': { beamSize: 4, hypotheses: 4 },
  'beam search with a bound': { beamSize: 4, hypotheses: 4, stopWhen: 'improvement-impossible' },
  'diverse beam search': { beamSize: 4, groups: 2, hypotheses: 3 },
  'constrained beam search': { beamSize: 4, hypotheses: 2, phrases: [Int32Array.of(5)] },
};

/** What rows begin with, forced tokens of the model, what outputs are made to begin with, and how many tokens count by that. */
const CASES: readonly (readonly [number[], number | undefined, number[], number])[] = [
  [[1], undefined, [5, 6], 0],
  [[1], 1, [], 0],
  [[1], 1, [6], 1],
  [[1], 1, [6, 5, 6], 1],
  [[1, 4], 1, [], 1],
  [[1, 4], 2, [6], 2],
  [[1, 4], 2, [], 1],
];

describe.each(Object.entries(SEARCHES))('%s counts what a model forces as length', (_, search) => {
  it.each(CASES)('rows begin with %j, %s forced, prefix %j: %i more', async (prefix, forcedTokens, given, counted) => {
    const outputPrefixes = SOURCES.map(() => Int32Array.from(given));
    let moved = 0;
    for (let seed = 1; seed <= 6; seed++) {
      const score = randomLogits({ seed, vocabularySize: 7, endTokenId: END, typicalLength: 2 });
      const plain = scriptedModel({ vocabularySize: 7, endTokenId: END, prefix, score });
      const model = recording({ ...plain, forcedTokens });
      for (const lengthPenalty of [0, 0.6, 1, 2, -1]) {
        const decode = async (of: typeof plain) =>
          (
            await collect(
              beamSearch({ ...search, lengthPenalty }).decode(of, {
                sources: SOURCES,
                outputPrefixes,
                maxNewTokens: 8,
              }),
            )
          ).results.map(({ hypotheses }) => hypotheses);
        const lists = await decode(model);
        for (const hypotheses of lists) {
          const scores = hypotheses.map(({ score: own }) => own as number);
          expect([...scores].sort((a, b) => b - a)).toEqual(scores);
          for (const { tokenIds, logProb, score: own, finishReason } of hypotheses) {
            const length = tokenIds.length - given.length + (finishReason === 'end-token' ? 1 : 0) + counted;
            expect(own).toBeCloseTo((logProb as number) / length ** lengthPenalty, 10);
          }
        }
        const others = await decode(plain);
        if (lists.some((list, row) => list[0].tokenIds.join() !== others[row][0].tokenIds.join())) moved++;
      }
    }
    // It decides between outputs of unlike lengths.
    if (counted > 0) expect(moved).toBeGreaterThan(0);
    else expect(moved).toBe(0);
  });
});

it.each([-1, 0.5, Number.NaN, '1', null])('refuses a model that says it forces %s tokens', async (forcedTokens) => {
  const score = randomLogits({ seed: 1, vocabularySize: 7, endTokenId: END });
  const model = { ...scriptedModel({ vocabularySize: 7, score }), forcedTokens: forcedTokens as number };
  await assertCode(() => collect(beamSearch().decode(model, { sources: SOURCES })), 'INVALID_ARGUMENT');
});
