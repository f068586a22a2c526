import type { TokenSource } from '@foretoken/core';
import { type CanvasScore, logSoftmax, ranked } from '@foretoken/testkit';

/** What the references need of a scripted model. */
export interface Scored {
  readonly score: CanvasScore;
  readonly source: TokenSource;
  readonly mask: number;
}

interface Guess {
  readonly tokenId: number;
  readonly logProb: number;
}

/** The best token at one position of a canvas, other than the mask. */
function guess({ score, source, mask }: Scored, canvas: readonly number[], position: number): Guess {
  const logProbs = logSoftmax(score(source, Int32Array.from(canvas), position));
  const tokenId = ranked(logProbs).find((id) => id !== mask) as number;
  return { tokenId, logProb: logProbs[tokenId] };
}

/** Mask-predict as section 3.1 of the paper has it, `masks[t]` positions masked after iteration t + 1. */
export function referenceMaskPredict(scored: Scored, length: number, masks: readonly number[]): number[] {
  let guesses = Array.from({ length }, (_, position) => guess(scored, Array(length).fill(scored.mask), position));
  for (const count of masks) {
    const byConfidence = guesses.map(({ logProb }, position) => ({ logProb, position }));
    byConfidence.sort((a, b) => a.logProb - b.logProb || a.position - b.position);
    const chosen = new Set(byConfidence.slice(0, count).map(({ position }) => position));
    const canvas = guesses.map(({ tokenId }, position) => (chosen.has(position) ? scored.mask : tokenId));
    guesses = guesses.map((old, position) => (chosen.has(position) ? guess(scored, canvas, position) : old));
  }
  return guesses.map(({ tokenId }) => tokenId);
}

/**
 * Parallel easy-first, every position predicted anew in every iteration from a canvas of its own; the positions of a group, as
 * many groups as told, see none of one another.
 */
export function referenceEasyFirst(
  scored: Scored,
  length: number,
  iterations: number,
  groups: number = length,
): number[] {
  const blank: number[] = Array(length).fill(scored.mask);
  const first = blank.map((_, position) => guess(scored, blank, position));
  const easier = (n: number, m: number): boolean => {
    const a = first[n].logProb;
    const b = first[m].logProb;
    return a > b || (a === b && n < m);
  };
  const count = Math.min(groups, length);
  const ranks = blank.map((_, position) => blank.filter((_unused, other) => easier(other, position)).length);
  // The first rank of group g is floor(g * length / count).
  const groupOf = (position: number): number =>
    Array.from({ length: count }, (_, group) => Math.floor((group * length) / count)).filter(
      (begin) => begin <= ranks[position],
    ).length;
  let tokens = first.map(({ tokenId }) => tokenId);
  for (let iteration = 2; iteration <= iterations; iteration++) {
    const before = tokens;
    tokens = tokens.map((_, position) => {
      const seen = before.map((tokenId, other) => (groupOf(other) < groupOf(position) ? tokenId : scored.mask));
      return guess(scored, seen, position).tokenId;
    });
  }
  return tokens;
}

/** LLaDA's generation (Nie et al., 2025): equal blocks, low-confidence remasking, no temperature. */
export function referenceLlada(
  scored: Scored,
  prompt: readonly number[],
  length: number,
  blocks: number,
  steps: number,
) {
  const canvas = [...prompt, ...Array<number>(length).fill(scored.mask)];
  const size = length / blocks;
  const stepsPerBlock = steps / blocks;
  for (let block = 0; block < blocks; block++) {
    const end = prompt.length + (block + 1) * size;
    const transfers = Array.from({ length: stepsPerBlock }, (_, step) => {
      const base = Math.floor(size / stepsPerBlock);
      return step < size % stepsPerBlock ? base + 1 : base;
    });
    for (const transfer of transfers) {
      const open = canvas.flatMap((tokenId, position) => (tokenId === scored.mask && position < end ? [position] : []));
      const guesses = open.map((position) => ({ position, ...guess(scored, canvas, position) }));
      guesses.sort((a, b) => b.logProb - a.logProb || a.position - b.position);
      for (const { position, tokenId } of guesses.slice(0, transfer)) canvas[position] = tokenId;
    }
  }
  return canvas;
}
