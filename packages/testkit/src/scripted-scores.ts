import type { Extension, OutputRequest, Vocabulary } from '@foretoken/core';
import { assertInteger, largest } from '@foretoken/core/kit';
import { numbersOf } from './readable.js';

/** A vocabulary of scripted models; an end token of -1 is none. */
export function vocabularyOf(size: number, endTokenId: number): Vocabulary {
  assertInteger('size', size, 1, Number.MAX_SAFE_INTEGER);
  assertInteger('endTokenId', endTokenId, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  return endTokenId < 0 ? { size } : { size, endTokenId };
}

/** Natural-log softmax of one row; where every score is `-Infinity`, so is every log-probability. */
export function logSoftmax(logits: ArrayLike<number>): Float32Array {
  const values = numbersOf('logits', logits);
  const max = largest(values);
  if (max === Number.NEGATIVE_INFINITY) return Float32Array.from(values);
  const normaliser = max + Math.log(values.reduce((sum, value) => sum + Math.exp(value - max), 0));
  return Float32Array.from(values, (value) => value - normaliser);
}

/** Token ids from the highest score down, the lower id first among equals. */
export function ranked(given: ArrayLike<number>): number[] {
  const scores = numbersOf('scores', given);
  return Array.from({ length: scores.length }, (_, tokenId) => tokenId).sort((a, b) => scores[b] - scores[a] || a - b);
}

type Scores<Of> = Of extends unknown ? Omit<Of, 'firstNode' | 'states'> : never;

/** What an output says of unnormalised scores, one array `[vocab]` for each node or position. */
export function scoresAs(output: OutputRequest, logits: readonly Float32Array[]): Scores<Extension> {
  switch (output.kind) {
    case 'argmax':
      return {
        kind: 'argmax',
        tokenIds: Int32Array.from(logits, (row) => ranked(row)[0]),
        scores: Float32Array.from(logits, (row) => Math.max(...row)),
      };
    case 'topK': {
      const best = logits.map((row) => ranked(row).slice(0, output.k));
      const logProbs = logits.map((row, index) => {
        const normalised = logSoftmax(row);
        return best[index].map((tokenId) => normalised[tokenId]);
      });
      return { kind: 'topK', k: output.k, tokenIds: Int32Array.from(best.flat()), logProbs: flat(logProbs) };
    }
    case 'logProbs':
      return { kind: 'logProbs', logProbs: flat(logits.map(logSoftmax)) };
    case 'logits':
      return { kind: 'logits', logits: flat(logits) };
  }
}

function flat(rows: readonly ArrayLike<number>[]): Float32Array {
  return Float32Array.from(rows.flatMap((row) => Array.from(row)));
}
