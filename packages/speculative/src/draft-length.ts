import { ForetokenError } from '@foretoken/core';

/** What forwards cost, relative to a forward of one node. */
export interface RoundCost {
  /** Cost of a verifying forward with `index + 1` nodes; the first is 1. Measured, not guessed. */
  readonly verifyCost: readonly number[];
  /** Cost of drafting one round; default 0. */
  readonly draftCost?: number;
}

/** Throws `INVALID_ARGUMENT` unless the costs are finite and positive (drafting may cost nothing). */
export function assertRoundCost({ verifyCost, draftCost = 0 }: RoundCost): void {
  const wrong = verifyCost.findIndex((cost) => !(cost > 0 && Number.isFinite(cost)));
  if (verifyCost.length === 0 || wrong >= 0) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      wrong >= 0
        ? `verifyCost[${wrong}] must be a positive number, but was ${String(verifyCost[wrong])}.`
        : 'verifyCost is empty; it needs at least the cost of one node.',
      { option: 'verifyCost', received: verifyCost },
    );
  }
  if (!(draftCost >= 0 && Number.isFinite(draftCost))) {
    throw new ForetokenError('INVALID_ARGUMENT', `draftCost must not be negative, but was ${String(draftCost)}.`, {
      option: 'draftCost',
      received: draftCost,
    });
  }
}

/**
 * How many nodes of a draft pay for themselves: the n that gives most tokens for the time,
 * `(1 + p_1 + … + p_n) / (draftCost + verifyCost[n])`.
 *
 * `probabilities` are the nodes' path probabilities, best first, so their sum is the expected number of accepted tokens;
 * the 1 is the correction or bonus. Locally this adds node i while `p_i · (time per token) > its marginal verify cost`,
 * and it looks past steps in the cost. A draft has at most `verifyCost.length - 1` nodes: nobody measured wider ones.
 *
 * Throws `INVALID_ARGUMENT` for probabilities and costs that are none.
 */
export function draftLength(probabilities: readonly number[], cost: RoundCost): number {
  assertRoundCost(cost);
  const wrong = probabilities.findIndex((probability) => !(probability >= 0 && Number.isFinite(probability)));
  if (wrong >= 0) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `probabilities[${wrong}] must be a probability, but was ${String(probabilities[wrong])}.`,
      { option: 'probabilities', received: probabilities[wrong] },
    );
  }
  const { verifyCost, draftCost = 0 } = cost;
  const most = Math.min(probabilities.length, verifyCost.length - 1);
  let tokens = 1;
  let length = 0;
  let best = tokens / (draftCost + (verifyCost[0] as number));
  for (let nodes = 1; nodes <= most; nodes++) {
    tokens += probabilities[nodes - 1] as number;
    const rate = tokens / (draftCost + (verifyCost[nodes] as number));
    if (rate > best) {
      best = rate;
      length = nodes;
    }
  }
  return length;
}

/**
 * Whether no longer draft can beat the best length so far, when every further node has at most probability `next`: then
 * growing may stop, and `draftLength` gives what it would have given.
 */
export function longEnough(probabilities: readonly number[], next: number, cost: RoundCost): boolean {
  const { verifyCost, draftCost = 0 } = cost;
  let tokens = 1;
  let best = tokens / (draftCost + (verifyCost[0] as number));
  for (let nodes = 1; nodes <= probabilities.length; nodes++) {
    tokens += probabilities[nodes - 1] as number;
    best = Math.max(best, tokens / (draftCost + (verifyCost[nodes] as number)));
  }
  for (let nodes = probabilities.length + 1; nodes < verifyCost.length; nodes++) {
    tokens += next;
    if (tokens / (draftCost + (verifyCost[nodes] as number)) > best) return false;
  }
  return true;
}
