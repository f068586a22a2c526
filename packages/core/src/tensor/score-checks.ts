import { ForetokenError } from '../contract/errors.js';

/**
 * Throws `INVALID_SCORES` where one of `scores[begin..end]` is NaN or +Infinity; `-Infinity`, probability 0, is a score.
 *
 * `position` is the output position, frame or canvas position that the scores speak of. One comparison a score: call it
 * once where scores come out of a model, before anything is chosen by them.
 */
export function assertScores(
  scores: ArrayLike<number>,
  row: number,
  position: number,
  begin: number = 0,
  end: number = scores.length,
): void {
  for (let index = begin; index < end; index++) {
    // False for NaN too.
    if (scores[index] < Number.POSITIVE_INFINITY) continue;
    throw invalidScores(row, position, scores[index]);
  }
}

/** Throws `INVALID_SCORES` or `UNSATISFIABLE_CONSTRAINT` unless the score of the best token is a finite number. */
export function assertPossible(best: number, row: number, position: number): void {
  if (Number.isFinite(best)) return;
  throw best === Number.NEGATIVE_INFINITY ? noTokenLeft(row, position) : invalidScores(row, position, best);
}

/** The error of a score that is NaN or +Infinity. */
export function invalidScores(row: number, position: number, received: number): ForetokenError {
  return new ForetokenError(
    'INVALID_SCORES',
    `A score at position ${position} of row ${row} is ${received}. Finite numbers and -Infinity are required. ` +
      'Weights that are damaged or overflow give such scores, and so may rules.',
    { row, position, received },
  );
}

/** The error of a row in which nothing is possible: every token or hypothesis has probability 0, by the model or by rules. */
export function noTokenLeft(row: number, position: number): ForetokenError {
  return new ForetokenError(
    'UNSATISFIABLE_CONSTRAINT',
    `No token is possible at position ${position} of row ${row}: the model and the rules leave none above probability 0. ` +
      'Loosen the rules, if there are any.',
    { row, position },
  );
}
