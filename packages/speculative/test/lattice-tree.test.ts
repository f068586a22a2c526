import { CtcPrefixScorer, NgramModel } from '@foretoken/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyTinyLattice } from '../../core/test/ctc-oracle.js';
import { growDraft } from '../src/lattice-tree.js';

const none = { ids: new Int32Array(), probabilities: new Float32Array() };

/** A model that looks at no history. */
function unigrams(probabilities: readonly number[]): NgramModel {
  return new NgramModel({
    unigramProbability: Float32Array.from(probabilities),
    unigramBackoff: new Float32Array(probabilities.length).fill(1),
    bigramIds: none.ids,
    bigramProbability: none.probabilities,
    bigramBackoff: none.probabilities,
    trigramIds: none.ids,
    trigramProbability: none.probabilities,
  });
}

describe('a draft re-ranked by n-grams', () => {
  it('is no surer of itself than lattice and n-grams are where the two agree', () => {
    fc.assert(
      fc.property(anyTinyLattice, fc.constantFrom(0.2, 0.5, 1, 3), ({ lattice, vocabularySize }, weight) => {
        const scorer = new CtcPrefixScorer(lattice, vocabularySize + 1);
        const prefix = scorer.start();
        const next = scorer.continuations(prefix);
        // What the lattice says comes first, said by a language model; the end has an id of its own.
        const probabilities = new Array<number>(vocabularySize + 1).fill(1e-6);
        for (const [index, tokenId] of next.tokenIds.entries())
          probabilities[tokenId] = next.probabilities[index] as number;
        probabilities[vocabularySize] = next.end;
        const options = {
          nodes: 50,
          depth: 1,
          least: 1e-3,
          chain: false,
          enough: () => false,
          history: [0, 0] as const,
          endTokenId: vocabularySize,
        };
        const plain = growDraft(scorer, prefix, { ...options, ngrams: undefined });
        const model = unigrams(probabilities);
        const ranked = growDraft(scorer, prefix, { ...options, ngrams: { model, weight } });
        const offered = next.end + next.probabilities.reduce((sum, probability) => sum + probability, 0);
        const wanted = plain.probabilities.map((probability) => probability / offered);
        for (const [index, probability] of ranked.probabilities.slice(0, wanted.length).entries()) {
          expect(probability).toBeCloseTo(wanted[index] as number, 3);
        }
      }),
      { numRuns: 100, seed: 5 },
    );
  });
});
