import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CtcLattice } from '../src/index.js';
import { ctcAlignment, ctcBestPath } from '../src/kit/index.js';
import { anyTinyLattice, tinyLattice } from './ctc-oracle.js';

interface Labelled {
  readonly labels: readonly number[];
  readonly score: number;
}

/** The best sequence of labels, one a frame, that collapses to each output, by enumeration; keyed by joined token ids. */
function bestAlignments({ frames, k, blankId, ...lattice }: CtcLattice): Map<string, Labelled[]> {
  let found: Labelled[] = [{ labels: [], score: 0 }];
  for (let frame = 0; frame < frames; frame++) {
    const labels = new Map([[blankId, lattice.blankLogProbs[frame]]]);
    for (let cell = frame * k; cell < (frame + 1) * k; cell++) {
      labels.set(lattice.tokenIds[cell], lattice.logProbs[cell]);
    }
    found = found.flatMap(({ labels: before, score }) =>
      [...labels].map(([label, logProb]) => ({ labels: [...before, label], score: score + logProb })),
    );
  }
  const best = new Map<string, Labelled[]>();
  for (const alignment of found) {
    const output = alignment.labels
      .filter((label, at) => label !== blankId && label !== alignment.labels[at - 1])
      .join();
    const others = best.get(output) ?? [];
    const max = others[0]?.score ?? Number.NEGATIVE_INFINITY;
    if (alignment.score > max + 1e-9) best.set(output, [alignment]);
    else if (alignment.score > max - 1e-9) others.push(alignment);
  }
  return best;
}

/** One label a frame, from the frames of each token. */
function labelsOf(lattice: CtcLattice, tokenIds: readonly number[]): number[] | undefined {
  const alignment = ctcAlignment(lattice, tokenIds);
  if (alignment === undefined) return undefined;
  const labels = new Array<number>(lattice.frames).fill(lattice.blankId);
  tokenIds.forEach((tokenId, token) => {
    labels.fill(tokenId, alignment.firstFrames[token], alignment.lastFrames[token] + 1);
  });
  return labels;
}

/** First and last frame of each run of a label that is no blank, in turn. */
function runsOf(labels: readonly number[], blankId: number): number[] {
  const runs: number[] = [];
  for (const [frame, label] of labels.entries()) {
    if (label === blankId) continue;
    if (frame > 0 && labels[frame - 1] === label) runs[runs.length - 1] = frame;
    else runs.push(frame, frame);
  }
  return runs;
}

describe('ctcAlignment', () => {
  it('is the best of all alignments that say the tokens', () => {
    fc.assert(
      fc.property(anyTinyLattice, ({ lattice }) => {
        for (const [output, best] of bestAlignments(lattice)) {
          const tokenIds = output === '' ? [] : output.split(',').map(Number);
          expect(best.map(({ labels }) => labels)).toContainEqual(labelsOf(lattice, tokenIds));
          expect(ctcAlignment(lattice, tokenIds)?.score).toBeCloseTo(best[0]?.score, 5);
        }
      }),
    );
  });

  it('is the best of all alignments that begin with the tokens, where anything may follow', () => {
    fc.assert(
      fc.property(anyTinyLattice, ({ lattice }) => {
        const byPrefix = new Map<string, Labelled[]>();
        for (const [output, alignments] of bestAlignments(lattice)) {
          const tokenIds = output === '' ? [] : output.split(',');
          for (let length = 0; length <= tokenIds.length; length++) {
            const key = tokenIds.slice(0, length).join();
            byPrefix.set(key, [...(byPrefix.get(key) ?? []), ...alignments]);
          }
        }
        for (const [prefix, alignments] of byPrefix) {
          const tokenIds = prefix === '' ? [] : prefix.split(',').map(Number);
          const max = Math.max(...alignments.map(({ score }) => score));
          const found = ctcAlignment(lattice, tokenIds, true);
          expect(found?.score).toBeCloseTo(max, 5);
          const runs = alignments
            .filter(({ score }) => score > max - 1e-5)
            .map(({ labels }) => runsOf(labels, lattice.blankId).slice(0, 2 * tokenIds.length));
          const frames = tokenIds.flatMap((_, token) => [found?.firstFrames[token], found?.lastFrames[token]]);
          expect(runs).toContainEqual(frames);
        }
      }),
      { seed: 13 },
    );
  });

  it('tells the best frame of each token', () => {
    const { lattice } = tinyLattice(
      [
        [1, 8, 1],
        [1, 20, 1],
        [9, 1, 1],
        [1, 1, 5],
        [4, 1, 1],
      ],
      0,
      3,
    );
    const alignment = ctcAlignment(lattice, [1, 2]);
    expect(alignment).toMatchObject({ firstFrames: Int32Array.of(0, 3), lastFrames: Int32Array.of(1, 3) });
    expect(alignment?.logProbs).toEqual(Float32Array.of(Math.log(20 / 22), Math.log(5 / 7)));
  });

  it('aligns what best path decoding says as that path does', () => {
    fc.assert(
      fc.property(anyTinyLattice, ({ lattice }) => {
        const path = ctcBestPath(lattice);
        const alignment = ctcAlignment(lattice, path.tokenIds);
        expect(alignment?.score).toBeCloseTo(path.score, 5);
      }),
    );
  });

  it('is undefined where no alignment says the tokens', () => {
    const { lattice } = tinyLattice(
      [
        [1, 8, 1],
        [1, 20, 1],
      ],
      0,
      2,
    );
    expect(ctcAlignment(lattice, [1, 1])).toBeUndefined();
    expect(ctcAlignment(lattice, [1, 0, 1])).toBeUndefined();
    expect(ctcAlignment(lattice, [7])).toBeUndefined();
    expect(ctcAlignment({ ...lattice, frames: 0 }, [])).toMatchObject({ score: 0 });
  });
});
