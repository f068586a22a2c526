import type { CtcLattice } from '@foretoken/core';

/**
 * Natural-log probability of an output, summed over all alignments of the lattice's candidates (the forward recursion of
 * Graves et al., 2006, section 4.1); `-Infinity` also where it is too small beside the output's own prefixes for doubles.
 */
export function outputLogProb(lattice: CtcLattice, output: readonly number[]): number {
  const { frames, k, blankId, tokenIds, logProbs, blankLogProbs } = lattice;
  // State 2i + 1 is token i, the even states are the blanks around it.
  const states = 2 * output.length + 1;
  const places = new Map<number, number[]>();
  for (const [token, tokenId] of output.entries()) {
    const known = places.get(tokenId);
    if (known === undefined) places.set(tokenId, [2 * token + 1]);
    else known.push(2 * token + 1);
  }
  const emissions = new Float64Array(states);
  let mass = new Float64Array(states);
  let next = new Float64Array(states);
  mass[0] = 1;
  let logScale = 0;
  for (let frame = 0; frame < frames; frame++) {
    emissions.fill(0);
    const blank = Math.exp(blankLogProbs[frame] as number);
    for (let state = 0; state < states; state += 2) emissions[state] = blank;
    for (let cell = frame * k; cell < (frame + 1) * k; cell++) {
      const tokenId = tokenIds[cell] as number;
      const here = tokenId === blankId ? undefined : places.get(tokenId);
      if (here === undefined) continue;
      const probability = Math.exp(logProbs[cell] as number);
      for (const state of here) emissions[state] = probability;
    }
    let total = 0;
    for (let state = 0; state < states; state++) {
      let before = mass[state] as number;
      if (state > 0) before += mass[state - 1] as number;
      // Between two different tokens the blank may be left out.
      const token = (state - 1) >> 1;
      if (state % 2 === 1 && token > 0 && output[token] !== output[token - 1]) before += mass[state - 2] as number;
      next[state] = before * (emissions[state] as number);
      total += next[state] as number;
    }
    if (!(total > 0)) return Number.NEGATIVE_INFINITY;
    for (let state = 0; state < states; state++) next[state] = (next[state] as number) / total;
    logScale += Math.log(total);
    [mass, next] = [next, mass];
  }
  const end = (mass[states - 1] as number) + (states > 1 ? (mass[states - 2] as number) : 0);
  return logScale + Math.log(end);
}
