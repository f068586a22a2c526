import { ForetokenError } from '@foretoken/core';
import type { ScoreValues } from '@foretoken/models/folder';

/** Differences that come of the order of sums, not of what scores are or of what is beside a source. */
export const TOLERANCE = 1e-3;

/**
 * What the scores of a graph are: vectors whose numbers add up to 1 are probabilities, those whose powers do are log-probabilities.
 * Throws `INVALID_ARGUMENT` where others were told.
 */
export function findScoreValues(
  vectors: readonly Float32Array[],
  told: ScoreValues | undefined,
  file: string,
): ScoreValues {
  const addUp = (of: (score: number) => number): boolean =>
    vectors.every((scores) => Math.abs(scores.reduce((sum, score) => sum + of(score), 0) - 1) < TOLERANCE);
  const found =
    vectors.every((scores) => scores.every((score) => score >= 0)) && addUp((score) => score)
      ? 'probabilities'
      : addUp(Math.exp)
        ? 'logProbs'
        : 'logits';
  // Log-probabilities are logits too.
  if (told === 'logits' && found === 'logProbs') return told;
  assertFound('values', told, found, file);
  return found;
}

/** Throws `INVALID_ARGUMENT` where what was told of an option is not what running the graph shows. */
export function assertFound(option: string, told: string | undefined, found: string, file: string): void {
  if (told === undefined || told === found) return;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `${option} is ${told}, but running ${file} shows ${found}. Leave ${option} out.`,
    { option, received: told, required: found },
  );
}
