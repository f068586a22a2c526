import type { OutputRequest } from '../contract/token-tree.js';
import { Yielder } from '../kit/yielder.js';
import { logSumExp } from '../tensor/log-softmax.js';
import { topK } from '../tensor/top-k.js';
import type { ExtensionValues } from './node-store.js';

/** Scores of the kind asked for, from logits `[count, size]` that may be kept; for graphs that end in logits. */
export function scoredLogits(logits: Float32Array, size: number, output: OutputRequest): ExtensionValues {
  const steps = scoring(logits, size, output);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** As `scoredLogits`, with turns for other work between the rows: for many rows or a large vocabulary. */
export function scoredLogitsInTurns(
  logits: Float32Array,
  size: number,
  output: OutputRequest,
): Promise<ExtensionValues> {
  return new Yielder().run(scoring(logits, size, output));
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
