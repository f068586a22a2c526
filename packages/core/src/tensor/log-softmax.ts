/** `log(sum(exp(scores)))`, natural log, over the finite scores; `-Infinity` where there are none. */
export function logSumExp(scores: ArrayLike<number>): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < scores.length; index++) max = Math.max(max, scores[index]);
  if (max === Number.NEGATIVE_INFINITY) return max;
  let sum = 0;
  for (let index = 0; index < scores.length; index++) sum += Math.exp(scores[index] - max);
  return max + Math.log(sum);
}

/** Natural-log probabilities of unnormalised scores, `[count]`; what is ruled out stays at `-Infinity`. */
export function logSoftmax(scores: ArrayLike<number>): Float64Array {
  const normaliser = logSumExp(scores);
  return Float64Array.from({ length: scores.length }, (_, index) => {
    const score = scores[index];
    return score === Number.NEGATIVE_INFINITY ? score : score - normaliser;
  });
}
