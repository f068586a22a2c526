import type { CtcLattice, LatticeModel, TokenSource } from '@foretoken/core';
import { cutOutput, type RowCuts } from '@foretoken/core/kit';
import { ctcLattice, vocabularyOf } from '@foretoken/testkit';
import fc from 'fast-check';

export interface TinyCtc {
  readonly lattice: CtcLattice;
  readonly vocabularySize: number;
}

/** Lattices of up to 5 frames over up to 4 labels, peaked and flat, any blank, any number of candidates. */
export const anyCtc: fc.Arbitrary<TinyCtc> = fc
  .record({ frames: fc.integer({ min: 1, max: 5 }), size: fc.integer({ min: 2, max: 4 }) })
  .chain(({ frames, size }) =>
    fc.record({
      scores: fc.array(fc.array(fc.integer({ min: -30, max: 30 }), { minLength: size, maxLength: size }), {
        minLength: frames,
        maxLength: frames,
      }),
      blankId: fc.integer({ min: 0, max: size - 1 }),
      k: fc.integer({ min: 1, max: size }),
      sharpness: fc.constantFrom(0.02, 0.1, 0.5),
    }),
  )
  .map(({ scores, blankId, k, sharpness }) => ({
    lattice: ctcLattice(
      scores.map((row) => row.map((score) => score * sharpness)),
      blankId,
      k,
    ),
    vocabularySize: scores[0]?.length ?? 0,
  }));

/** A model that emits these lattices, whatever the sources, in the order of the rows; -1 is no end token. */
export function latticesModel(
  lattices: readonly CtcLattice[],
  vocabularySize: number,
  endTokenId = -1,
): LatticeModel<TokenSource> {
  return {
    vocabulary: vocabularyOf(vocabularySize, endTokenId),
    supports: { kind: 'ctc', maxCandidates: vocabularySize },
    emit: async (sources) => sources.map((_, row) => lattices[row % lattices.length]),
  };
}

/** One label a frame, and what the alignment says. */
export interface Alignment {
  readonly labels: readonly number[];
  readonly tokenIds: readonly number[];
  readonly logProb: number;
}

/** Every alignment of the lattice's candidates, straight from its arrays. */
export function everyAlignment({ frames, k, blankId, tokenIds, logProbs, blankLogProbs }: CtcLattice): Alignment[] {
  let found: Alignment[] = [{ labels: [], tokenIds: [], logProb: 0 }];
  for (let frame = 0; frame < frames; frame++) {
    const labels = new Map<number, number>([[blankId, blankLogProbs[frame]]]);
    for (let cell = frame * k; cell < (frame + 1) * k; cell++) {
      if (tokenIds[cell] !== blankId) labels.set(tokenIds[cell], logProbs[cell]);
    }
    found = found.flatMap((before) =>
      [...labels].map(([label, logProb]) => ({
        labels: [...before.labels, label],
        tokenIds: label === blankId || label === before.labels.at(-1) ? before.tokenIds : [...before.tokenIds, label],
        logProb: before.logProb + logProb,
      })),
    );
  }
  return found.filter(({ logProb }) => logProb > Number.NEGATIVE_INFINITY);
}

export interface SummedCtcOutput {
  readonly tokenIds: readonly number[];
  /** Natural log of the summed probability of all alignments that say this. */
  readonly logProb: number;
}

/** Every output with its probability, by its tokens joined with commas. */
export function everyOutput(lattice: CtcLattice): Map<string, SummedCtcOutput> {
  return cutAlignments(lattice, -1);
}

/** The same of outputs that an end token and a request cut: all alignments that are cut to the same tokens, added up. */
export function cutAlignments(
  lattice: CtcLattice,
  endTokenId: number,
  cuts: RowCuts = {},
): Map<string, SummedCtcOutput> {
  const byTokens = new Map<string, SummedCtcOutput>();
  for (const { tokenIds: said, logProb } of everyAlignment(lattice)) {
    const tokenIds = Array.from(cutOutput(said, endTokenId, cuts).tokenIds);
    const before = byTokens.get(tokenIds.join())?.logProb ?? Number.NEGATIVE_INFINITY;
    byTokens.set(tokenIds.join(), { tokenIds, logProb: Math.log(Math.exp(before) + Math.exp(logProb)) });
  }
  return byTokens;
}

/** Outputs with a bonus each, best first; what is ruled out is left out. */
export function rankedOutputs(
  outputs: ReadonlyMap<string, SummedCtcOutput>,
  bonus: (tokenIds: readonly number[]) => number,
): readonly (SummedCtcOutput & { readonly score: number })[] {
  return [...outputs.values()]
    .map(({ tokenIds, logProb }) => ({ tokenIds, logProb, score: logProb + bonus(tokenIds) }))
    .filter(({ score }) => score > Number.NEGATIVE_INFINITY)
    .sort((a, b) => b.score - a.score);
}

/** Natural-log probability of an output: the forward recursion of Graves et al., 2006, in the linear domain. */
export function outputLogProb(lattice: CtcLattice, output: readonly number[]): number {
  const { frames, k, blankId, tokenIds, logProbs, blankLogProbs } = lattice;
  const states = [blankId, ...output.flatMap((tokenId) => [tokenId, blankId])];
  let mass: number[] = states.map((_, state) => (state === 0 ? 1 : 0));
  let scale = 0;
  for (let frame = 0; frame < frames; frame++) {
    const emission = (label: number): number => {
      if (label === blankId) return Math.exp(blankLogProbs[frame]);
      const cell = tokenIds.subarray(frame * k, (frame + 1) * k).indexOf(label);
      return cell < 0 ? 0 : Math.exp(logProbs[frame * k + cell]);
    };
    const next = states.map((label, state) => {
      const skips = label !== blankId && label !== states[state - 2];
      const before = mass[state] + (mass[state - 1] ?? 0) + (skips ? (mass[state - 2] ?? 0) : 0);
      return before * emission(label);
    });
    const total = next.reduce((sum, value) => sum + value, 0);
    scale += Math.log(total);
    mass = next.map((value) => value / total);
  }
  return scale + Math.log((mass.at(-1) as number) + (states.length > 1 ? (mass.at(-2) as number) : 0));
}
