import type { CtcLattice } from '@foretoken/core';
import { CtcPrefixScorer } from '@foretoken/core/kit';
import type { LanguageModel } from '@foretoken/language-models';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { growDraft } from '../src/lattice-tree.js';
import { plainDraft } from './plain-drafts.js';
import { pathTo } from './tiny-drafts.js';

/** A number between 0 and 1 for some numbers, so mixed that no two draws are alike. */
function drawn(...of: readonly number[]): number {
  let hash = 0x9e3779b9;
  for (const part of [...of, of.length]) {
    hash = Math.imul(hash ^ (part + 1), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return ((hash >>> 0) + 0.5) / 2 ** 32;
}

/** Frames of a few sure tokens and much doubt, as students write them; the blank is the token 0, or no token. */
function latticeOf(seed: number, frames: number, k: number, size: number, blankId: number): CtcLattice {
  const tokenIds = new Int32Array(frames * k);
  const logProbs = new Float32Array(frames * k);
  const blankLogProbs = new Float32Array(frames);
  for (let frame = 0; frame < frames; frame++) {
    const sharpness = 1 + 12 * drawn(seed, frame);
    const weights = Array.from({ length: size + 1 }, (_, id) => drawn(seed, frame, id) ** sharpness);
    const blank = Math.min(blankId, size);
    if (blank < size) weights[size] = 0;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    blankLogProbs[frame] = Math.log(weights[blank] / total);
    const best = Array.from(weights.keys()).sort((a, b) => weights[b] - weights[a]);
    // The candidates of half of the frames name the blank too.
    const named = best.filter((id) => id < size && (id !== blank || drawn(seed, frame, 0, 0) < 0.5)).slice(0, k);
    for (const [rank, id] of named.entries()) {
      tokenIds[frame * k + rank] = id;
      logProbs[frame * k + rank] = Math.log(weights[id] / total);
    }
  }
  return { kind: 'ctc', frames, k, blankId, tokenIds, logProbs, blankLogProbs };
}

/** Looks at all tokens before; rules some out. */
function anyModel(seed: number): LanguageModel<readonly number[]> {
  const score = (tokens: readonly number[], tokenId: number): number => {
    const draw = drawn(seed, ...tokens, tokenId);
    return draw < 0.1 ? Number.NEGATIVE_INFINITY : 6 * Math.log(draw);
  };
  return {
    start: () => [],
    next: (tokens, tokenId) => [...tokens, tokenId],
    score,
    end: (tokens) => score(tokens, -1),
  };
}

describe('growDraft against its definition', () => {
  it('grows the nodes that plain formulas grow, in the same order and as sure of each', () => {
    const anyCase = fc.record({
      seed: fc.nat(1e9),
      frames: fc.integer({ min: 1, max: 20 }),
      k: fc.integer({ min: 1, max: 5 }),
      size: fc.integer({ min: 6, max: 30 }),
      blankIsToken: fc.boolean(),
      said: fc.array(fc.nat(29), { maxLength: 6 }),
      nodes: fc.integer({ min: 1, max: 15 }),
      depth: fc.integer({ min: 1, max: 8 }),
      min: fc.constantFrom(0.003, 0.02, 0.07, 0.2),
      chain: fc.boolean(),
      weight: fc.constantFrom(0, 0.2, 0.5, 1, 3),
    });
    let grown = 0;
    fc.assert(
      fc.property(anyCase, ({ seed, frames, k, size, blankIsToken, said, nodes, depth, min, chain, weight }) => {
        const blankId = blankIsToken ? 0 : size;
        const lattice = latticeOf(seed, frames, k, size, blankId);
        const prefix = said.map((tokenId) => tokenId % size).filter((tokenId) => tokenId !== blankId);
        const model = anyModel(seed);
        const common = { nodes, depth, min, chain, endTokenId: size - 1 };
        const wanted = plainDraft(lattice, size, prefix, {
          ...common,
          opinion: weight === 0 ? undefined : { model, weight },
        });
        fc.pre(wanted !== undefined);
        const scorer = new CtcPrefixScorer(lattice, size);
        const start = prefix.reduce((state, tokenId) => scorer.extend(state, tokenId), scorer.start());
        const opinion = { model, weight, state: prefix, row: 0, position: prefix.length };
        const { draft } = growDraft(scorer, start, { ...common, opinion: weight === 0 ? undefined : opinion });
        expect(Array.from(draft.tokenIds, (_, node) => pathTo(draft, node))).toEqual(wanted.map(({ path }) => path));
        wanted.forEach(({ given }, node) => {
          expect(Math.abs((draft.probabilities?.[node] ?? 0) / given - 1)).toBeLessThan(1e-6);
        });
        grown += wanted.length;
      }),
      { numRuns: 600, seed: 14 },
    );
    expect(grown).toBeGreaterThan(1500);
  });
});
