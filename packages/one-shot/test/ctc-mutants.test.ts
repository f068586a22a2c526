import type { CtcLattice } from '@foretoken/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { all, decode } from './ctc-decode.js';
import { anyCtc, everyOutput } from './ctc-oracle.js';

/** Ways to get prefix beam search wrong. */
type Fault =
  | 'none'
  | 'needs no blank between equal tokens'
  | 'takes the best alignment instead of the sum'
  | 'forgets alignments that end with a blank'
  | 'forgets to merge a grown prefix with one in the beam'
  | 'ignores the score of the blank outside the candidates'
  | 'scores the language model again for a repeated label';

const bonusOf = (tokenIds: readonly number[]): number => -0.3 * tokenIds.length;

interface Masses {
  readonly tokenIds: readonly number[];
  readonly bonus: number;
  blank: number;
  label: number;
}

/** Prefix beam search without pruning, in the linear domain and as plainly as can be, with one fault planted. */
function minimal(lattice: CtcLattice, fault: Fault): Map<string, number> {
  const { frames, k, blankId, tokenIds, logProbs, blankLogProbs } = lattice;
  const add = (a: number, b: number) =>
    fault === 'takes the best alignment instead of the sum' ? Math.max(a, b) : a + b;
  let beam = new Map<string, Masses>([['', { tokenIds: [], bonus: 0, blank: 1, label: 0 }]]);
  for (let frame = 0; frame < frames; frame++) {
    const next = new Map<string, Masses>();
    const at = (prefix: readonly number[], bonus: number, grown = false): Masses => {
      const key = prefix.join();
      const known = next.get(key);
      const forget = grown && fault === 'forgets to merge a grown prefix with one in the beam' && beam.has(key);
      if (known !== undefined && !forget) return known;
      const made = { tokenIds: prefix, bonus, blank: 0, label: 0 };
      if (!forget) next.set(key, made);
      return made;
    };
    const candidates = tokenIds.subarray(frame * k, (frame + 1) * k);
    const drops = fault === 'ignores the score of the blank outside the candidates' && !candidates.includes(blankId);
    const blank = drops ? 0 : Math.exp(blankLogProbs[frame]);
    for (const { tokenIds: prefix, bonus, ...mass } of beam.values()) {
      const total =
        fault === 'forgets alignments that end with a blank' ? mass.label || mass.blank : add(mass.blank, mass.label);
      const stay = at(prefix, bonus);
      stay.blank = add(stay.blank, total * blank);
      candidates.forEach((tokenId, index) => {
        if (tokenId === blankId) return;
        const probability = Math.exp(logProbs[frame * k + index]);
        const repeats = tokenId === prefix.at(-1);
        if (repeats) {
          const again = fault === 'scores the language model again for a repeated label' ? Math.exp(-0.3) : 1;
          stay.label = add(stay.label, mass.label * probability * again);
        }
        const before = repeats && fault !== 'needs no blank between equal tokens' ? mass.blank : total;
        const grown = at([...prefix, tokenId], bonus - 0.3, true);
        grown.label = add(grown.label, before * probability);
      });
    }
    beam = next;
  }
  const scores = [...beam.values()].map((prefix): [string, number] => [
    prefix.tokenIds.join(),
    Math.log(add(prefix.blank, prefix.label)) + prefix.bonus,
  ]);
  return new Map(scores.filter(([, score]) => score > Number.NEGATIVE_INFINITY));
}

/** Scores of all outputs of a lattice, by their tokens. */
type Search = (lattice: CtcLattice, vocabularySize: number) => Map<string, number> | Promise<Map<string, number>>;

/** The search that the package has. */
const product: Search = async (lattice, vocabularySize) => {
  const found = await decode(lattice, vocabularySize, all({ lengthBonus: -0.3 }));
  return new Map(found.map(({ tokenIds, score }) => [tokenIds.join(), score as number]));
};

/** Whether every output of every lattice has its score, by the oracle. */
async function passes(search: Search): Promise<boolean> {
  const result = await fc.check(
    fc.asyncProperty(anyCtc, async ({ lattice, vocabularySize }) => {
      const found = await search(lattice, vocabularySize);
      const wanted = everyOutput(lattice);
      if (found.size !== wanted.size) return false;
      return [...wanted].every(([key, { tokenIds, logProb }]) => {
        return Math.abs((found.get(key) ?? 0) - logProb - bonusOf(tokenIds)) < 1e-5;
      });
    }),
    { seed: 1, numRuns: 200 },
  );
  return !result.failed;
}

describe('the oracle of prefix beam search', () => {
  it('lets right ones pass, that of the package and a plain one', async () => {
    expect(await passes(product)).toBe(true);
    expect(await passes((lattice) => minimal(lattice, 'none'))).toBe(true);
  });

  it.each<Fault>([
    'needs no blank between equal tokens',
    'takes the best alignment instead of the sum',
    'forgets alignments that end with a blank',
    'forgets to merge a grown prefix with one in the beam',
    'ignores the score of the blank outside the candidates',
    'scores the language model again for a repeated label',
  ])('catches, on the same lattices, one that %s', async (fault) => {
    expect(await passes((lattice) => minimal(lattice, fault))).toBe(false);
  });
});
