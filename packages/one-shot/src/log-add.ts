/** `log(exp(a) + exp(b))`. */
export function logAdd(a: number, b: number): number {
  if (a < b) return b + (a === Number.NEGATIVE_INFINITY ? 0 : Math.log1p(Math.exp(a - b)));
  return a + (b === Number.NEGATIVE_INFINITY ? 0 : Math.log1p(Math.exp(b - a)));
}
