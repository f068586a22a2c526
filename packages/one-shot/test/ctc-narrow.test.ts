import type { CtcLattice } from '@foretoken/core';
import type { HotWord } from '@foretoken/language-models';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, hashModel, type Options } from './ctc-decode.js';

// Whatever is in the beam at the end is scored anew, exactly, so scores say nothing about what was pruned on the way. What a
// narrow beam holds at the end does: it is compared with that of a search as plain as can be.

/** Scores without ties, since those may be broken either way. */
const anyLattice: fc.Arbitrary<CtcLattice> = fc
  .record({ frames: fc.integer({ min: 1, max: 7 }), size: fc.integer({ min: 2, max: 5 }), seed: fc.nat(1e6) })
  .map(({ frames, size, seed }) => {
    let state = seed * 2 + 1;
    const random = (): number => {
      state = (state * 1103515245 + 12345) % 2147483648;
      return state / 2147483648;
    };
    const scores = Array.from({ length: frames }, () => Array.from({ length: size }, () => Math.exp(4 * random())));
    const logs = scores.map((row) => row.map((score) => Math.log(score / row.reduce((sum, one) => sum + one, 0))));
    return {
      kind: 'ctc',
      frames,
      k: size - 1,
      blankId: 0,
      tokenIds: Int32Array.from(logs.flatMap((row) => row.slice(1).map((_, index) => index + 1))),
      logProbs: Float32Array.from(logs.flatMap((row) => row.slice(1))),
      blankLogProbs: Float32Array.from(logs, ([blank = 0]) => blank),
    };
  });

interface Kept {
  readonly tokenIds: readonly number[];
  blank: number;
  label: number;
  cut: number;
}

interface Narrow {
  readonly beamSize: number;
  readonly beamThreshold: number;
  readonly endTokenId: number;
  readonly maxNewTokens: number;
  readonly bonus: (tokenIds: readonly number[]) => number;
}

/** Prefix beam search in the linear domain, without any short cut; the outputs left at the end. */
function plainSearch(
  lattice: CtcLattice,
  { beamSize, beamThreshold, endTokenId, maxNewTokens, bonus }: Narrow,
): string[] {
  const { frames, k, tokenIds, logProbs, blankLogProbs } = lattice;
  let beam: Kept[] = [{ tokenIds: [], blank: 1, label: 0, cut: 0 }];
  const scoreOf = ({ tokenIds, blank, label, cut }: Kept): number => Math.log(blank + label + cut) + bonus(tokenIds);
  for (let frame = 0; frame < frames; frame++) {
    const next = new Map<string, Kept>();
    const at = (prefix: readonly number[]): Kept => {
      const kept = next.get(prefix.join()) ?? { tokenIds: prefix, blank: 0, label: 0, cut: 0 };
      next.set(prefix.join(), kept);
      return kept;
    };
    const cells = Array.from({ length: k }, (_, index) => frame * k + index);
    const emissions = new Map(cells.map((cell) => [tokenIds[cell], Math.exp(logProbs[cell])]));
    const blank = Math.exp(blankLogProbs[frame]);
    const anything = [...emissions.values()].reduce((sum, one) => sum + one, blank);
    for (const prefix of beam) {
      const open = prefix.blank + prefix.label;
      const last = prefix.tokenIds.at(-1);
      at(prefix.tokenIds).cut += prefix.cut * anything + open * (emissions.get(endTokenId) ?? 0);
      at(prefix.tokenIds).blank += open * blank;
      for (const [tokenId, probability] of emissions) {
        if (tokenId === endTokenId) continue;
        if (tokenId === last) at(prefix.tokenIds).label += prefix.label * probability;
        const grown = (tokenId === last ? prefix.blank : open) * probability;
        if (grown === 0) continue;
        const child = at([...prefix.tokenIds, tokenId]);
        if (child.tokenIds.length >= maxNewTokens) child.cut += grown;
        else child.label += grown;
      }
    }
    const ranked = [...next.values()].filter((kept) => scoreOf(kept) > -1e9).sort((a, b) => scoreOf(b) - scoreOf(a));
    const min = scoreOf(ranked[0]) - beamThreshold;
    beam = ranked.slice(0, beamSize).filter((kept) => scoreOf(kept) >= min);
  }
  return beam.map(({ tokenIds }) => tokenIds.join());
}

const anyNarrow = fc.record({
  beamSize: fc.integer({ min: 1, max: 4 }),
  beamThreshold: fc.constantFrom(0.5, 2, Number.POSITIVE_INFINITY),
  endTokenId: fc.constantFrom(-1, 1),
  maxNewTokens: fc.constantFrom(2, 3, Number.MAX_SAFE_INTEGER),
});

async function found(lattice: CtcLattice, narrow: Omit<Narrow, 'bonus'>, options: Options): Promise<string[]> {
  const { beamSize, beamThreshold, endTokenId, maxNewTokens } = narrow;
  const size = lattice.k + 1;
  const hypotheses = await decode(
    lattice,
    size,
    { beamSize, beamThreshold, hypotheses: beamSize, candidates: 1, ...options },
    { endTokenId, request: { maxNewTokens } },
  );
  return hypotheses.map(({ tokenIds }) => tokenIds.join()).sort();
}

describe('a narrow beam holds what a plain search holds', () => {
  it('by the sums over alignments', async () => {
    await fc.assert(
      fc.asyncProperty(anyLattice, anyNarrow, async (lattice, narrow) => {
        const wanted = plainSearch(lattice, { ...narrow, bonus: () => 0 });
        expect(await found(lattice, narrow, {})).toEqual([...wanted].sort());
      }),
      { numRuns: 400, seed: 13 },
    );
  });

  it('with a language model and a length bonus', async () => {
    const bonus = (tokenIds: readonly number[]): number => {
      let state = hashModel.start();
      let sum = 0;
      for (const tokenId of tokenIds) {
        sum += 0.7 * hashModel.score(state, tokenId) + 0.4;
        state = hashModel.next(state, tokenId);
      }
      return sum;
    };
    await fc.assert(
      fc.asyncProperty(anyLattice, anyNarrow, fc.boolean(), async (lattice, narrow, bounded) => {
        const model = bounded ? { ...hashModel, maxScore: 0 } : hashModel;
        const options = { languageModel: { model, weight: 0.7 }, lengthBonus: 0.4 };
        const wanted = plainSearch(lattice, { ...narrow, bonus });
        expect(await found(lattice, narrow, options)).toEqual([...wanted].sort());
      }),
      { numRuns: 400, seed: 13 },
    );
  });

  it('with hot words that begin in one another, a part of their bonus on loan', async () => {
    const phrases = fc.uniqueArray(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }), {
      selector: String,
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(anyLattice, anyNarrow, phrases, async (lattice, narrow, words) => {
        const { endTokenId } = narrow;
        const hotWords: HotWord[] = words
          .filter((phrase) => phrase.every((tokenId) => tokenId <= lattice.k && tokenId !== endTokenId))
          .map((tokenIds, index) => ({ tokenIds, bonus: 0.9 + 0.35 * index }));
        const bonus = (tokenIds: readonly number[]): number => {
          let said = 0;
          let loan = 0;
          for (const { tokenIds: phrase, bonus: whole } of hotWords) {
            const ids = Array.from(phrase);
            for (let at = 0; at + ids.length <= tokenIds.length; at++) {
              if (ids.every((tokenId, offset) => tokenIds[at + offset] === tokenId)) said += whole;
            }
            for (let begun = 1; begun < ids.length; begun++) {
              const tail = tokenIds.slice(-begun);
              const stands = tail.length === begun && tail.every((tokenId, offset) => ids[offset] === tokenId);
              if (stands) loan = Math.max(loan, (whole / ids.length) * begun);
            }
          }
          return said + loan;
        };
        const wanted = plainSearch(lattice, { ...narrow, bonus });
        expect(await found(lattice, narrow, { hotWords })).toEqual([...wanted].sort());
      }),
      { numRuns: 400, seed: 13 },
    );
  });
});
