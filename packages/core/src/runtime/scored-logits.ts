import type { OutputRequest } from '../contract/token-tree.js';
import { assertInteger, wrongValue } from '../kit/checks.js';
import { assertOffered } from '../kit/offered-outputs.js';
import { isTypedArray } from '../kit/typed-arrays.js';
import { Yielder } from '../kit/yielder.js';
import { logSumExp } from '../tensor/log-softmax.js';
import { topK } from '../tensor/top-k.js';
import type { ExtensionValues } from './node-store.js';

/**
 * Scores of the kind asked for, from logits `[count, size]` that may be kept; for graphs that end in logits. Throws
 * `INVALID_ARGUMENT` for logits that are no rows of `size`, and for outputs that there are not.
 */
export function scoredLogits(logits: Float32Array, size: number, output: OutputRequest): ExtensionValues {
  assertLogits(logits, size, output);
  const steps = scoring(logits, size, output);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** As `scoredLogits`, with turns for other work between the rows: for many rows or a large vocabulary. */
export async function scoredLogitsInTurns(
  logits: Float32Array,
  size: number,
  output: OutputRequest,
): Promise<ExtensionValues> {
  assertLogits(logits, size, output);
  return new Yielder().run(scoring(logits, size, output));
}

/** What there are no tokens for is filled up to here. */
const MAX_CANDIDATES = 65_536;

const KINDS = ['argmax', 'topK', 'logProbs', 'logits'] as const;

function assertLogits(logits: Float32Array, size: number, output: OutputRequest): void {
  assertInteger('size', size, 1, Number.MAX_SAFE_INTEGER);
  assertOffered({ outputs: KINDS, states: KINDS, maxCandidates: Math.max(size, MAX_CANDIDATES) }, output);
  if (isTypedArray('Float32Array', logits) && logits.length % size === 0) return;
  throw wrongValue('logits', logits, `a Float32Array of rows of ${size}`);
}

/** Yields after every row. */
function* scoring(
  logits: Float32Array,
  size: number,
  output: OutputRequest,
): Generator<undefined, ExtensionValues, undefined> {
  const count = logits.length / size;
  const row = (index: number): Float32Array => logits.subarray(index * size, (index + 1) * size);
  switch (output.kind) {
    case 'argmax': {
      const tokenIds = new Int32Array(count);
      const scores = new Float32Array(count);
      for (let index = 0; index < count; index++) {
        const best = bestOf(row(index));
        tokenIds[index] = best;
        scores[index] = logits[index * size + best];
        yield;
      }
      return { kind: 'argmax', tokenIds, scores };
    }
    case 'topK': {
      const { k } = output;
      const tokenIds = new Int32Array(count * k);
      const logProbs = new Float32Array(count * k).fill(Number.NEGATIVE_INFINITY);
      for (let index = 0; index < count; index++) {
        const scores = row(index);
        const normaliser = logSumExp(scores);
        if (!(normaliser < Number.POSITIVE_INFINITY)) {
          // One score that is no finite number makes none of them a probability; it is shown as it is.
          tokenIds[index * k] = scores.findIndex((score) => !(score < Number.POSITIVE_INFINITY));
          logProbs[index * k] = scores[tokenIds[index * k]];
          yield;
          continue;
        }
        const ids = topK(scores, k);
        tokenIds.set(ids, index * k);
        for (const [at, id] of ids.entries()) logProbs[index * k + at] = scores[id] - normaliser;
        yield;
      }
      return { kind: 'topK', k, tokenIds, logProbs };
    }
    case 'logProbs': {
      for (let index = 0; index < count; index++) {
        const scores = row(index);
        const normaliser = logSumExp(scores);
        yield;
        // Nothing is possible, or a score is no finite number, which is shown as it is.
        if (!Number.isFinite(normaliser)) continue;
        for (let id = 0; id < size; id++) scores[id] -= normaliser;
      }
      return { kind: 'logProbs', logProbs: logits };
    }
    case 'logits':
      return { kind: 'logits', logits };
  }
}

/** Index of the highest score, the first among equals; of one that is no number where there is one. */
function bestOf(scores: Float32Array): number {
  let best = 0;
  for (let index = 0; index < scores.length; index++) {
    const score = scores[index];
    if (score > scores[best]) best = index;
    else if (Number.isNaN(score)) return index;
  }
  return best;
}
