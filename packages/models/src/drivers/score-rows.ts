import type { OutputRequest } from '@foretoken/core';
import { argmax, logSumExp, topK } from '@foretoken/core/kit';
import type { ExtensionValues } from '@foretoken/core/runtime';

/** What was asked for of rows of logits or log-probabilities `[rows, size]`, which it may keep. */
export function scoresAsAsked(logits: Float32Array, size: number, output: OutputRequest): ExtensionValues {
  const rows = Array.from({ length: logits.length / size }, (_, row) => logits.subarray(row * size, (row + 1) * size));
  switch (output.kind) {
    case 'logits':
      return { kind: 'logits', logits };
    case 'logProbs':
      for (const row of rows) {
        const normaliser = logSumExp(row);
        for (let id = 0; id < size; id++) row[id] -= normaliser;
      }
      return { kind: 'logProbs', logProbs: logits };
    case 'argmax': {
      const best = rows.map((row) => argmax(row));
      const scores = best.map((id, row) => rows[row][Math.max(0, id)]);
      return {
        kind: 'argmax',
        tokenIds: Int32Array.from(best, (id) => Math.max(0, id)),
        scores: Float32Array.from(scores),
      };
    }
    case 'topK': {
      const { k } = output;
      const tokenIds = new Int32Array(rows.length * k);
      const logProbs = new Float32Array(rows.length * k).fill(Number.NEGATIVE_INFINITY);
      for (const [row, scores] of rows.entries()) {
        const normaliser = logSumExp(scores);
        const wrong = scores.find((score) => !(score < Number.POSITIVE_INFINITY));
        for (const [place, id] of topK(scores, k).entries()) {
          tokenIds[row * k + place] = id;
          // A score that is none must be seen, also where it is not among the best.
          logProbs[row * k + place] = wrong === undefined ? scores[id] - normaliser : Number.NaN;
        }
        if (wrong !== undefined) logProbs[row * k] = Number.NaN;
      }
      return { kind: 'topK', k, tokenIds, logProbs };
    }
  }
}
