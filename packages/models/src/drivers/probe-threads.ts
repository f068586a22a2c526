import { isDuration, median, type ProbeBudget } from './probe.js';

/**
 * More threads must win by a wide margin: in a tight loop, as here, they stay awake between forwards, and in a decoding loop
 * they do not; and each small operator waits for the slowest core, which others may be using.
 */
const THREADS_MUST_SAVE = 0.6;

/** Rounds of a comparison, and fewer than which say nothing. */
const MAX_ROUNDS = 8;
const MIN_ROUNDS = 3;

/**
 * Which of several ways to do the same work takes clearly less time than the first, as an index; 0 unless one does.
 *
 * They take turns, and are compared turn by turn, so that a slow moment of the machine hits them alike. A way wins by saving
 * much in three of four rounds at least, and is never chosen on fewer than three rounds.
 */
export async function clearlyFastest(ways: readonly (() => Promise<unknown>)[], budget: ProbeBudget): Promise<number> {
  const rounds: number[][] = [];
  // The first round warms up.
  for (const way of ways) await budget.spend(way);
  for (let turn = 0; turn < MAX_ROUNDS; turn++) {
    const round: number[] = [];
    for (const way of ways) {
      if (!budget.fits()) return winner(rounds);
      round.push(await budget.spend(way));
    }
    // A clock that shows nonsense decides nothing.
    if (round.every(isDuration)) rounds.push(round);
  }
  return winner(rounds);
}

function winner(rounds: readonly (readonly number[])[]): number {
  if (rounds.length < MIN_ROUNDS) return 0;
  const [first] = rounds;
  let best = 0;
  let bestRatio = THREADS_MUST_SAVE;
  for (let way = 1; way < (first?.length ?? 0); way++) {
    const ratios = rounds.map((round) => round[way] / round[0]);
    const saves = ratios.filter((ratio) => ratio < THREADS_MUST_SAVE).length;
    if (4 * saves >= 3 * rounds.length && median(ratios) < bestRatio) {
      best = way;
      bestRatio = median(ratios);
    }
  }
  return best;
}
