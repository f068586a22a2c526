import type { CtcLattice } from '@foretoken/core';
import { ctcBestPath } from '@foretoken/core/kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyTinyLattice } from './ctc-oracle.js';

describe('ctcBestPath', () => {
  it('collapses the most probable of all alignments', () => {
    fc.assert(
      fc.property(anyTinyLattice, ({ lattice, distributions }) => {
        const { blankId, k } = lattice;
        let bestScore = -Infinity;
        const visit = (frame: number, score: number): void => {
          const distribution = distributions[frame];
          if (distribution === undefined) bestScore = Math.max(bestScore, score);
          else for (const probability of distribution) visit(frame + 1, score + Math.log(probability));
        };
        visit(0, 0);
        const path = ctcBestPath(lattice);
        expect(path.score).toBeCloseTo(bestScore, 4);
        // Collapse, the textbook way: drop repeats, then blanks.
        const labels = distributions.map((_, frame) => lattice.tokenIds[frame * k]);
        const expected = labels.filter((label, frame) => label !== labels[frame - 1] && label !== blankId);
        expect([...path.tokenIds]).toEqual(expected);
        path.frames.forEach((frame, index) => {
          expect(lattice.tokenIds[frame * k]).toBe(path.tokenIds[index]);
          expect(lattice.logProbs[frame * k]).toBe(path.logProbs[index]);
        });
      }),
    );
  });

  it('keeps a label that a blank separates, and reports the best frame of a run', () => {
    const lattice: CtcLattice = {
      kind: 'ctc',
      frames: 6,
      k: 1,
      blankId: 9,
      tokenIds: Int32Array.of(9, 4, 4, 4, 9, 4),
      logProbs: Float32Array.of(-0.5, -1, -0.25, -2, -0.5, -1),
      blankLogProbs: Float32Array.of(-0.5, -3, -3, -3, -0.5, -3),
    };
    expect(ctcBestPath(lattice)).toEqual({
      tokenIds: Int32Array.of(4, 4),
      frames: Int32Array.of(2, 5),
      logProbs: Float32Array.of(-0.25, -1),
      score: -5.25,
    });
  });

  it('takes the best label in whatever order candidates are, and none that is ruled out', () => {
    const no = Number.NEGATIVE_INFINITY;
    const lattice: CtcLattice = {
      kind: 'ctc',
      frames: 4,
      k: 2,
      blankId: 0,
      // First one of probability 0, then a worse one first, then a blank that is no candidate, then equals.
      tokenIds: Int32Array.of(1, 2, 3, 4, 5, 6, 7, 8),
      logProbs: Float32Array.of(no, -1, -2, -0.5, -3, -2, -1, -1),
      blankLogProbs: Float32Array.of(-2, -2, -0.25, -1),
    };
    expect(ctcBestPath(lattice)).toMatchObject({ tokenIds: Int32Array.of(2, 4, 7), score: -1 - 0.5 - 0.25 - 1 });
  });

  it('gives an empty output for frames of blanks', () => {
    const lattice: CtcLattice = {
      kind: 'ctc',
      frames: 2,
      k: 1,
      blankId: 0,
      tokenIds: Int32Array.of(0, 0),
      logProbs: Float32Array.of(-1, -1),
      blankLogProbs: Float32Array.of(-1, -1),
    };
    expect(ctcBestPath(lattice).tokenIds).toEqual(new Int32Array(0));
  });
});
