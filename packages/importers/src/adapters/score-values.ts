import { ForetokenError } from '@foretoken/core';
import { argmax } from '@foretoken/core/kit';
import { type ScoreValues, unsupportedModel } from '@foretoken/models/internal';
import type { ExportedGraph } from './read-export.js';

/** Differences that come of the order of sums, not of what scores are or of what is beside a source. */
export const TOLERANCE = 1e-3;
/** Differences from what adds up to 1 that come of float16: a log-probability of -10 is rounded by up to 4e-3. */
export const HALF_TOLERANCE = 1e-2;

/** Scores that running a graph gave, one after the other, `size` of each frame or token. */
export interface TriedScores {
  readonly data: Float32Array;
  readonly size: number;
  /** What the graph read. */
  readonly of: string;
}

/**
 * The best class of each vector of scores; yields after each. Throws `UNSUPPORTED_MODEL` for vectors that are no scores: one with NaN
 * or +Infinity in it, and one where nothing is possible.
 */
export function* bestClasses(
  { data, size, of }: TriedScores,
  { folder, file }: Pick<ExportedGraph, 'folder' | 'file'>,
): Generator<undefined, Int32Array, undefined> {
  const best = new Int32Array(data.length / size);
  for (let vector = 0; vector < best.length; vector++) {
    const scores = data.subarray(vector * size, (vector + 1) * size);
    const wrong = scores.findIndex((score) => !(score < Number.POSITIVE_INFINITY));
    const found = argmax(scores);
    if (wrong >= 0 || found < 0) {
      const received = wrong >= 0 ? scores[wrong] : Number.NEGATIVE_INFINITY;
      throw unsupportedModel(
        `${file} in ${folder} gives no scores: of ${of}, ${wrong >= 0 ? `class ${wrong}` : 'every class'} at position ${vector} is ${received}. Finite numbers and -Infinity are required, and one that is finite at each position. Train or export the model again.`,
        { folder, file, field: `scores of ${of}`, received, required: 'finite numbers' },
      );
    }
    best[vector] = found;
    yield;
  }
  return best;
}

/**
 * What the scores of a graph are: vectors whose numbers add up to 1 are probabilities, those whose powers do are log-probabilities.
 * Yields after each vector. Throws `INVALID_ARGUMENT` where others were told.
 */
export function* findScoreValues(
  tried: readonly TriedScores[],
  told: ScoreValues | undefined,
  file: string,
  tolerance: number = TOLERANCE,
): Generator<undefined, ScoreValues, undefined> {
  let probabilities = true;
  let logProbs = true;
  for (const { data, size } of tried) {
    for (let begin = 0; begin < data.length; begin += size) {
      let [sum, powers] = [0, 0];
      for (let at = begin; at < begin + size; at++) {
        const score = data[at];
        probabilities &&= score >= 0;
        sum += score;
        powers += Math.exp(score);
      }
      probabilities &&= Math.abs(sum - 1) < tolerance;
      logProbs &&= Math.abs(powers - 1) < tolerance;
      yield;
    }
  }
  const found = probabilities ? 'probabilities' : logProbs ? 'logProbs' : 'logits';
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
