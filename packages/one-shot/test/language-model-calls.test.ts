import { collect } from '@foretoken/core';
import type { LanguageModel } from '@foretoken/language-models';
import { ctcPrefixBeam, dagBeam } from '@foretoken/one-shot';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyCtc, latticesModel } from './ctc-oracle.js';
import { randomDag, scriptedDagModel } from './dag-scripted.js';

const SOURCE = Int32Array.of(1);

/** A model whose states are the tokens so far, `undefined` before the first, and what it was asked. */
function recorded(): { model: LanguageModel<string | undefined>; states: string[]; scores: string[]; ends: string[] } {
  const asked = { states: [] as string[], scores: [] as string[], ends: [] as string[] };
  return {
    ...asked,
    model: {
      maxScore: 0,
      start: () => undefined,
      score: (state, tokenId) => {
        asked.scores.push(`${state ?? ''} ${tokenId}`);
        return -1 - (tokenId % 3) / 4;
      },
      next: (state, tokenId) => {
        const next = `${state ?? ''} ${tokenId}`;
        asked.states.push(next);
        return next;
      },
      end: (state) => {
        asked.ends.push(state ?? '');
        return -0.5;
      },
    },
  };
}

const twice = (all: readonly string[]): string[] => all.filter((one, index) => all.indexOf(one) !== index);

describe('a search asks its language model', () => {
  it('for one state a prefix, and for the end once an output (CTC)', async () => {
    await fc.assert(
      fc.asyncProperty(anyCtc, fc.constantFrom(1, 3, 64), async ({ lattice, vocabularySize }, beamSize) => {
        const { model, states, ends } = recorded();
        const decoder = ctcPrefixBeam({
          beamSize,
          candidates: vocabularySize,
          hypotheses: beamSize,
          languageModel: { model: model as LanguageModel, weight: 0.4 },
        });
        const { results } = await collect(
          decoder.decode(latticesModel([lattice], vocabularySize), { sources: [SOURCE] }),
        );
        expect(twice(states)).toEqual([]);
        expect(twice(ends)).toEqual([]);
        expect(ends.length).toBeGreaterThanOrEqual(results[0]?.hypotheses.length ?? 0);
      }),
    );
  });

  it('for one state a prefix, and for each token after it once (DAG)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), fc.constantFrom(1, 3, 64), fc.constantFrom(-1, 2), async (seed, beamSize, end) => {
        const { model, states, scores } = recorded();
        const dag = randomDag(seed, 6, 4, 0.5);
        const lattice = scriptedDagModel({ vocabularySize: 4, endTokenId: end, dag: () => dag });
        const languageModel = { model: model as LanguageModel };
        await collect(dagBeam({ beamSize, candidates: 4, languageModel }).decode(lattice, { sources: [SOURCE] }));
        expect(twice(states)).toEqual([]);
        expect(twice(scores)).toEqual([]);
        expect(scores.length).toBeGreaterThan(0);
      }),
    );
  });

  it('never where its weight is 0', async () => {
    const { model, states, scores, ends } = recorded();
    const languageModel = { model: { ...model, end: () => Number.NaN } as LanguageModel, weight: 0 };
    const dag = scriptedDagModel({ vocabularySize: 4, endTokenId: 2, dag: () => randomDag(1, 6, 4) });
    await collect(dagBeam({ candidates: 4, languageModel }).decode(dag, { sources: [SOURCE] }));
    await fc.assert(
      fc.asyncProperty(anyCtc, async ({ lattice, vocabularySize }) => {
        const decoder = ctcPrefixBeam({ candidates: 1, languageModel });
        await collect(decoder.decode(latticesModel([lattice], vocabularySize), { sources: [SOURCE] }));
      }),
      { numRuns: 20 },
    );
    expect([...states, ...scores, ...ends]).toEqual([]);
  });
});
