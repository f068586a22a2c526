import type { CtcLattice } from '@foretoken/core';
import { CtcPrefixScorer } from '@foretoken/core/kit';
import { NgramModel } from '@foretoken/language-models';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyTinyLattice, listed } from '../../core/test/ctc-oracle.js';
import { growDraft } from '../src/lattice-tree.js';

const none = { ids: new Int32Array(), probabilities: new Float32Array() };

/** A model that looks at no history. */
function unigrams(probabilities: readonly number[]): NgramModel {
  const tables = {
    unigramProbability: Float32Array.from(probabilities),
    unigramBackoff: new Float32Array(probabilities.length).fill(1),
    bigramIds: none.ids,
    bigramProbability: none.probabilities,
    bigramBackoff: none.probabilities,
    trigramIds: none.ids,
    trigramProbability: none.probabilities,
  };
  // The end is the last token.
  return new NgramModel(tables, { endTokenId: probabilities.length - 1 });
}

describe('a draft re-ranked by n-grams', () => {
  it('is no surer of itself than lattice and n-grams are where the two agree', () => {
    fc.assert(
      fc.property(anyTinyLattice, fc.constantFrom(0.2, 0.5, 1, 3), ({ lattice, vocabularySize }, weight) => {
        const scorer = new CtcPrefixScorer(lattice, vocabularySize + 1);
        const prefix = scorer.start();
        const next = listed(scorer.continuations(prefix));
        // What the lattice says comes first, said by a language model; the end has an id of its own.
        const probabilities = new Array<number>(vocabularySize + 1).fill(1e-6);
        for (const [index, tokenId] of next.tokenIds.entries()) probabilities[tokenId] = next.probabilities[index];
        probabilities[vocabularySize] = next.end;
        const options = {
          nodes: 50,
          depth: 1,
          min: 1e-3,
          chain: false,
          endTokenId: vocabularySize,
        };
        const { draft: plain } = growDraft(scorer, prefix, { ...options, opinion: undefined });
        const model = unigrams(probabilities);
        const { draft: ranked } = growDraft(scorer, prefix, {
          ...options,
          opinion: { model, weight, state: model.start(), row: 0, position: 0 },
        });
        const offered = next.end + next.probabilities.reduce((sum, probability) => sum + probability, 0);
        const wanted = Array.from(plain.probabilities ?? [], (probability) => probability / offered);
        // A token right at the least probability may be in one draft only.
        const sure = wanted.filter((probability) => probability > 0.05).length;
        expect(ranked.probabilities?.length).toBeGreaterThanOrEqual(sure);
        for (let index = 0; index < sure; index++) {
          expect(ranked.probabilities?.[index]).toBeCloseTo(wanted[index], 3);
        }
      }),
      { numRuns: 100, seed: 5 },
    );
  });

  it('is the weighted geometric mean where they disagree', () => {
    // One frame: 1 with 0.6, 2 with 0.3, the end (nothing but blank, 0) with 0.1.
    const lattice: CtcLattice = {
      kind: 'ctc',
      frames: 1,
      k: 2,
      blankId: 0,
      tokenIds: Int32Array.of(1, 2),
      logProbs: Float32Array.of(Math.log(0.6), Math.log(0.3)),
      blankLogProbs: Float32Array.of(Math.log(0.1)),
    };
    const scorer = new CtcPrefixScorer(lattice, 4);
    const model = unigrams([0.1, 0.1, 0.7, 0.1]);
    const { draft } = growDraft(scorer, scorer.start(), {
      nodes: 5,
      depth: 1,
      min: 0.01,
      chain: false,
      endTokenId: 3,
      opinion: { model, weight: 0.5, state: model.start(), row: 0, position: 0 },
    });
    const mean = (ofLattice: number, ofNgrams: number): number => (ofLattice * ofNgrams ** 0.5) ** (1 / 1.5);
    const scores = [mean(0.3, 0.7), mean(0.6, 0.1), mean(0.1, 0.1)] as const;
    const total = scores[0] + scores[1] + scores[2];
    expect([...draft.tokenIds]).toEqual([2, 1]);
    expect(draft.probabilities?.[0]).toBeCloseTo(scores[0] / total, 4);
    expect(draft.probabilities?.[1]).toBeCloseTo(scores[1] / total, 4);
  });
});
