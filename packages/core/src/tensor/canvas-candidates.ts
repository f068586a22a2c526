import type { TopKPrediction } from '../contract/canvas.js';
import { ForetokenError } from '../contract/errors.js';
import { assertScores } from './score-checks.js';

/** Which tokens are proposed for each position of a canvas, and their natural-log probabilities; `[length]` each. */
export interface CanvasProposal {
  readonly tokenIds: Int32Array;
  readonly logProbs: Float32Array;
}

/** Candidates of each position, best first, `[length, k]`, with natural-log probabilities; views of a prediction. */
export interface CanvasCandidates extends CanvasProposal {
  readonly k: number;
}

/** The model broke its contract: nothing that was computed from it can be trusted. */
export function brokenPrediction(row: number, what: string): ForetokenError {
  return new ForetokenError('RUNTIME_FAILURE', `The model gave row ${row} ${what}.`, { row });
}

/**
 * Candidates of a top-k prediction. Throws `RUNTIME_FAILURE` where it has another shape or fewer than two, and `INVALID_SCORES`.
 */
export function canvasCandidates({ row, k, tokenIds, logProbs }: TopKPrediction, length: number): CanvasCandidates {
  if (tokenIds?.length !== length * k || logProbs?.length !== length * k) {
    throw brokenPrediction(row, `candidates that do not fit a canvas of ${length} positions`);
  }
  if (k < 2) throw brokenPrediction(row, 'fewer than two candidates a position');
  for (let position = 0; position < length; position++) {
    assertScores(logProbs, row, position, position * k, (position + 1) * k);
  }
  return { tokenIds, logProbs, k };
}

/**
 * The most probable token of each position that is not `forbidden`, from a top-k prediction of `length` positions; `forbidden`
 * itself, at `-Infinity`, where no other is possible.
 *
 * Throws `RUNTIME_FAILURE` and `INVALID_SCORES` as `canvasCandidates` does.
 */
export function bestCanvasTokens(prediction: TopKPrediction, length: number, forbidden: number): CanvasProposal {
  const candidates = canvasCandidates(prediction, length);
  const tokenIds = new Int32Array(length);
  const logProbs = new Float32Array(length);
  for (let position = 0; position < length; position++) {
    const first = position * candidates.k;
    const at = candidates.tokenIds[first] === forbidden ? first + 1 : first;
    const logProb = candidates.logProbs[at];
    tokenIds[position] = logProb === Number.NEGATIVE_INFINITY ? forbidden : candidates.tokenIds[at];
    logProbs[position] = logProb;
  }
  return { tokenIds, logProbs };
}

/** Mean natural-log probability of the positions that have one, not NaN; `-Infinity` where none has. */
export function meanLogProb(logProbs: Float32Array): number {
  const known = logProbs.filter((logProb) => !Number.isNaN(logProb));
  return known.length === 0
    ? Number.NEGATIVE_INFINITY
    : known.reduce((sum, logProb) => sum + logProb, 0) / known.length;
}
