/**
 * The token at which the cumulative probability of scores `[vocab]`, softmax taken, first exceeds `uniform` in `[0, 1)`,
 * in order of token ids; -1 where every token is ruled out.
 */
export function sampleToken(scores: Float32Array, uniform: number): number {
  let max = Number.NEGATIVE_INFINITY;
  for (const score of scores) max = Math.max(max, score);
  if (!Number.isFinite(max)) return -1;
  let total = 0;
  for (const score of scores) if (score !== Number.NEGATIVE_INFINITY) total += Math.exp(score - max);
  const wanted = uniform * total;
  let sum = 0;
  let last = -1;
  for (let tokenId = 0; tokenId < scores.length; tokenId++) {
    const score = scores[tokenId];
    if (score === Number.NEGATIVE_INFINITY) continue;
    const weight = Math.exp(score - max);
    // A token whose probability rounds to 0 is none to end up at.
    if (weight === 0) continue;
    sum += weight;
    last = tokenId;
    if (sum > wanted) return tokenId;
  }
  return last;
}
