import type { CtcLattice } from '@foretoken/core';
import type { CtcContinuations } from '@foretoken/core/kit';
import fc from 'fast-check';

/** What follows a prefix, as lists that last. */
export function listed({ end, other, count, tokenIds, probabilities }: CtcContinuations): {
  readonly end: number;
  readonly other: number;
  readonly tokenIds: readonly number[];
  readonly probabilities: readonly number[];
} {
  return {
    end,
    other,
    tokenIds: [...tokenIds.subarray(0, count)],
    probabilities: [...probabilities.subarray(0, count)],
  };
}

/** A tiny lattice with everything an exhaustive search needs: the full distribution of every frame. */
export interface TinyLattice {
  readonly lattice: CtcLattice;
  readonly vocabularySize: number;
  /** `[frames][vocabularySize]`, the blank being one of the labels. */
  readonly distributions: readonly (readonly number[])[];
}

/** Builds the k-best lattice of given frame distributions, and the distributions that it still tells of. */
export function tinyLattice(weights: readonly (readonly number[])[], blankId: number, k: number): TinyLattice {
  const frames = weights.length;
  const vocabularySize = weights[0]?.length ?? 1;
  const tokenIds = new Int32Array(frames * k);
  const logProbs = new Float32Array(frames * k);
  const blankLogProbs = new Float32Array(frames);
  const distributions = weights.map((row, frame) => {
    const total = row.reduce((sum, weight) => sum + weight, 0);
    const order = row.map((_, tokenId) => tokenId).sort((a, b) => row[b] - row[a] || a - b);
    blankLogProbs[frame] = Math.log(row[blankId] / total);
    const known = new Map<number, number>([[blankId, Math.exp(blankLogProbs[frame])]]);
    for (let rank = 0; rank < k; rank++) {
      const tokenId = order[rank];
      tokenIds[frame * k + rank] = tokenId;
      logProbs[frame * k + rank] = Math.log(row[tokenId] / total);
      known.set(tokenId, Math.exp(logProbs[frame * k + rank]));
    }
    const mass = [...known.values()].reduce((sum, probability) => sum + probability, 0);
    const unknown = vocabularySize - known.size;
    const remainder = unknown > 0 ? Math.max(1 - mass, 1e-9) : 0;
    return row.map((_, tokenId) => (known.get(tokenId) ?? remainder / unknown) / (mass + remainder));
  });
  const lattice: CtcLattice = { kind: 'ctc', frames, k, blankId, tokenIds, logProbs, blankLogProbs };
  return { lattice, vocabularySize, distributions };
}

/** Probability of every output, by enumeration of all alignments; keys are token ids joined by commas. */
export function outputProbabilities({ lattice, distributions }: TinyLattice): Map<string, number> {
  const result = new Map<string, number>();
  const visit = (frame: number, output: readonly number[], previous: number, probability: number): void => {
    const distribution = distributions[frame];
    if (distribution === undefined) {
      result.set(output.join(), (result.get(output.join()) ?? 0) + probability);
      return;
    }
    distribution.forEach((step, tokenId) => {
      const emits = tokenId !== lattice.blankId && tokenId !== previous;
      visit(frame + 1, emits ? [...output, tokenId] : output, tokenId, probability * step);
    });
  };
  visit(0, [], lattice.blankId, 1);
  return result;
}

/** Probability that the output begins with `prefix`. */
export function prefixProbability(outputs: ReadonlyMap<string, number>, prefix: readonly number[]): number {
  let sum = 0;
  for (const [output, probability] of outputs) {
    const tokens = output === '' ? [] : output.split(',').map(Number);
    if (prefix.every((tokenId, index) => tokens[index] === tokenId)) sum += probability;
  }
  return sum;
}

/** Lattices of up to 5 frames over up to 4 labels, peaked and flat, any blank, any number of candidates. */
export const anyTinyLattice: fc.Arbitrary<TinyLattice> = fc
  .record({ frames: fc.integer({ min: 1, max: 5 }), size: fc.integer({ min: 2, max: 4 }) })
  .chain(({ frames, size }) =>
    fc
      .record({
        weights: fc.array(fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: size, maxLength: size }), {
          minLength: frames,
          maxLength: frames,
        }),
        blankId: fc.integer({ min: 0, max: size - 1 }),
        k: fc.integer({ min: 1, max: size }),
        sharp: fc.boolean(),
      })
      .map(({ weights, blankId, k, sharp }) =>
        tinyLattice(sharp ? weights.map((row) => row.map((weight) => weight ** 3)) : weights, blankId, k),
      ),
  );
