import type { CtcLattice } from '@foretoken/core';
import { CtcPrefixScorer } from '@foretoken/core/kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  anyTinyLattice,
  listed,
  outputProbabilities,
  prefixProbability,
  type TinyLattice,
  tinyLattice,
} from './ctc-oracle.js';

function labelsOf({ lattice, vocabularySize }: TinyLattice): number[] {
  return Array.from({ length: vocabularySize }, (_, tokenId) => tokenId).filter((id) => id !== lattice.blankId);
}

function extendAll(scorer: CtcPrefixScorer, prefix: readonly number[]): ReturnType<CtcPrefixScorer['start']> {
  return prefix.reduce((state, tokenId) => scorer.extend(state, tokenId), scorer.start());
}

describe('CtcPrefixScorer against enumeration of all alignments', () => {
  it('gives the probability of every prefix, of its end and of every next token', () => {
    fc.assert(
      fc.property(anyTinyLattice, (tiny) => {
        const outputs = outputProbabilities(tiny);
        const scorer = new CtcPrefixScorer(tiny.lattice, tiny.vocabularySize);
        const visit = (prefix: readonly number[]): void => {
          const state = extendAll(scorer, prefix);
          const expected = prefixProbability(outputs, prefix);
          expect(Math.exp(state.logProb)).toBeCloseTo(expected, 9);
          if (expected === 0) return;
          const next = listed(scorer.continuations(state));
          expect(next.end).toBeCloseTo((outputs.get(prefix.join()) ?? 0) / expected, 9);
          expect(next.end).toBe(scorer.end(state));
          let sum = next.end;
          for (const tokenId of labelsOf(tiny)) {
            const conditional = prefixProbability(outputs, [...prefix, tokenId]) / expected;
            const index = next.tokenIds.indexOf(tokenId);
            const received = index >= 0 ? next.probabilities[index] : next.other;
            const unseenRepeat = index < 0 && tokenId === prefix.at(-1);
            if (unseenRepeat) expect(conditional).toBeLessThanOrEqual(next.other + 1e-9);
            else expect(received).toBeCloseTo(conditional, 9);
            sum += unseenRepeat ? conditional : received;
          }
          expect(sum).toBeCloseTo(1, 9);
          if (prefix.length < 3) for (const tokenId of labelsOf(tiny)) visit([...prefix, tokenId]);
        };
        visit([]);
      }),
      { numRuns: 150 },
    );
  });

  it('gives the same from room that was taken back, the empty prefix among them, and after more was made', () => {
    const anySteps = fc.array(
      fc.record({ of: fc.nat(40), tokenId: fc.nat(3), released: fc.nat(40), keeps: fc.boolean() }),
      {
        minLength: 2,
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(anyTinyLattice, anySteps, (tiny, steps) => {
        const labels = labelsOf(tiny);
        const scorer = new CtcPrefixScorer(tiny.lattice, tiny.vocabularySize);
        const held = [{ said: [] as readonly number[], state: scorer.start() }];
        for (const { of, tokenId, released, keeps } of steps) {
          const { said, state } = held[of % held.length];
          const label = labels[tokenId % labels.length];
          held.push({ said: [...said, label], state: scorer.extend(state, label) });
          if (!keeps) for (const free of held.splice(released % held.length, 1)) scorer.release(free.state);
          if (held.length === 0) held.push({ said: [], state: scorer.start() });
          for (const { said, state } of held) {
            const fresh = new CtcPrefixScorer(tiny.lattice, tiny.vocabularySize);
            const wanted = extendAll(fresh, said);
            expect(state.logProb).toBe(wanted.logProb);
            expect(listed(scorer.continuations(state))).toEqual(listed(fresh.continuations(wanted)));
          }
        }
      }),
      { numRuns: 100, seed: 13 },
    );
  });

  it('leaves out tokens below the given probability and nothing else', () => {
    fc.assert(
      fc.property(anyTinyLattice, fc.double({ min: 0, max: 1, noNaN: true }), (tiny, min) => {
        const scorer = new CtcPrefixScorer(tiny.lattice, tiny.vocabularySize);
        const all = listed(scorer.continuations(scorer.start()));
        const kept = all.tokenIds.filter((_, index) => all.probabilities[index] >= min);
        expect(listed(scorer.continuations(scorer.start(), min)).tokenIds).toEqual(kept);
      }),
    );
  });
});

/** One confident label a frame, blanks between. */
function confident(tokens: readonly number[], vocabularySize: number): CtcPrefixScorer {
  const weights = tokens.flatMap((tokenId) =>
    [tokenId, 0].map((label) => Array.from({ length: vocabularySize }, (_, id) => (id === label ? 970 : 1))),
  );
  return new CtcPrefixScorer(tinyLattice(weights, 0, 4).lattice, vocabularySize);
}

function best(scorer: CtcPrefixScorer, prefix: readonly number[]): number {
  const { tokenIds, probabilities } = listed(scorer.continuations(extendAll(scorer, prefix)));
  return tokenIds[probabilities.indexOf(Math.max(...probabilities))];
}

describe('re-anchoring', () => {
  const scorer = confident([5, 6, 7, 8, 9, 10, 11, 12], 30);

  it('goes on after a prefix that the lattice agrees with', () => {
    expect(best(scorer, [5, 6, 7])).toBe(8);
  });

  it('finds its place after substitution, deletion and insertion of a token', () => {
    expect(best(scorer, [5, 20, 7, 8])).toBe(9);
    expect(best(scorer, [5, 7, 8])).toBe(9);
    expect(best(scorer, [5, 20, 6, 7])).toBe(8);
  });

  it('gives a prefix that no alignment fits probability 0 and no continuations', () => {
    const scorer = confident([5], 30);
    for (const tokens of [
      [5, 5, 5],
      [5, 6, 7, 8],
    ]) {
      const state = extendAll(scorer, tokens);
      expect(state.logProb).toBe(-Infinity);
      expect(listed(scorer.continuations(state))).toEqual({ end: 0, tokenIds: [], probabilities: [], other: 0 });
    }
  });
});

describe('numeric range', () => {
  it('scores hundreds of frames without underflow', () => {
    const vocabularySize = 50;
    const tokens = Array.from({ length: 300 }, (_, index) => 1 + (index % 40));
    const scorer = confident(tokens, vocabularySize);
    // Every tenth token of the prefix is one the lattice never thought of.
    const prefix = tokens.slice(0, 248).map((tokenId, index) => (index % 10 === 9 ? 45 : tokenId));
    const state = extendAll(scorer, prefix);
    expect(state.logProb).toBeGreaterThan(-1000);
    expect(state.logProb).toBeLessThan(-100);
    const next = listed(scorer.continuations(state));
    const others = vocabularySize - 1 - next.tokenIds.length;
    const sum = next.end + next.probabilities.reduce((total, probability) => total + probability, 0);
    expect(sum + others * next.other).toBeCloseTo(1, 6);
    expect(best(scorer, prefix)).toBe(tokens[248]);
  });

  it('normalises frames whose 32-bit scores do not quite sum to 1', () => {
    const { lattice } = tinyLattice(
      Array.from({ length: 600 }, () => [10, 3, 2]),
      0,
      3,
    );
    const logProbs = lattice.logProbs.map((logProb) => logProb + 1e-3);
    const blankLogProbs = lattice.blankLogProbs.map((logProb) => logProb + 1e-3);
    const scorer = new CtcPrefixScorer({ ...lattice, logProbs, blankLogProbs }, 3);
    const { end, probabilities } = listed(scorer.continuations(scorer.start()));
    expect(probabilities.reduce((sum, probability) => sum + probability, end)).toBeCloseTo(1, 9);
  });

  it('spreads what is left over all labels there are, wherever the blank is', () => {
    // One candidate of probability 0.5, and a blank of 0.3; the rest, 0.2, is for the other tokens.
    for (const [blankId, others] of [
      [1, 2],
      [3, 2],
      [4, 3],
      [9, 3],
    ] as const) {
      const lattice: CtcLattice = {
        kind: 'ctc',
        frames: 1,
        k: 1,
        blankId,
        tokenIds: Int32Array.of(2),
        logProbs: Float32Array.of(Math.log(0.5)),
        blankLogProbs: Float32Array.of(Math.log(0.3)),
      };
      const scorer = new CtcPrefixScorer(lattice, 4);
      const { other, end, tokenIds, probabilities } = listed(scorer.continuations(scorer.start()));
      expect(tokenIds).toEqual([2]);
      expect(end + probabilities[0] + others * other).toBeCloseTo(1, 6);
      expect(other).toBeCloseTo(0.2 / others, 6);
    }
  });

  it('never goes on with a candidate that was ruled out, whatever its id', () => {
    for (const ruledOut of [3, 99, -1]) {
      const lattice: CtcLattice = {
        kind: 'ctc',
        frames: 2,
        k: 2,
        blankId: 0,
        tokenIds: Int32Array.of(1, ruledOut, 2, ruledOut),
        logProbs: Float32Array.of(Math.log(0.9), Number.NEGATIVE_INFINITY, Math.log(0.9), Number.NEGATIVE_INFINITY),
        blankLogProbs: Float32Array.of(Math.log(0.1), Math.log(0.1)),
      };
      const scorer = new CtcPrefixScorer(lattice, 4);
      const { tokenIds } = listed(scorer.continuations(scorer.start()));
      expect([...tokenIds].sort()).toEqual([1, 2]);
    }
  });

  it('names row and frame of a score that is none', () => {
    const { lattice } = tinyLattice(
      [
        [1, 1],
        [1, 2],
      ],
      0,
      2,
    );
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      for (const change of [
        { logProbs: lattice.logProbs.with(2, bad) },
        { blankLogProbs: lattice.blankLogProbs.with(1, bad) },
      ]) {
        const make = () => new CtcPrefixScorer({ ...lattice, ...change }, 2, 5);
        expect(make).toThrow(
          expect.objectContaining({
            code: 'INVALID_SCORES',
            details: expect.objectContaining({ row: 5, position: 1 }),
          }),
        );
      }
    }
  });

  it('refuses them also in cells that nothing is made of: of the blank, and of a token that the frame has already', () => {
    const lattice: CtcLattice = {
      kind: 'ctc',
      frames: 2,
      k: 2,
      blankId: 2,
      blankLogProbs: Float32Array.of(-1, -1),
      tokenIds: Int32Array.of(0, 2, 1, 1),
      logProbs: Float32Array.of(-1, -1, -1, -Infinity),
    };
    expect(() => new CtcPrefixScorer(lattice, 3)).not.toThrow();
    for (const cell of [1, 3]) {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
        const damaged = { ...lattice, logProbs: lattice.logProbs.with(cell, bad) };
        expect(() => new CtcPrefixScorer(damaged, 3)).toThrow(expect.objectContaining({ code: 'INVALID_SCORES' }));
      }
    }
  });

  it('refuses a vocabulary without labels', () => {
    const { lattice } = tinyLattice([[1, 1]], 0, 1);
    expect(() => new CtcPrefixScorer(lattice, 0)).toThrowError(/vocabularySize/);
  });
});
