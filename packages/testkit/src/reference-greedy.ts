import type { FinishReason, TokenSource } from '@foretoken/core';
import { callback, checkOptions, integer, listOf, type OptionTable, tokens } from '@foretoken/core/kit';
import type { Score } from './random-logits.js';
import { numbersOf } from './readable.js';
import { logSoftmax, ranked } from './scripted-scores.js';

/** What the reference decodes by, and where outputs end. */
export interface ReferenceGreedyOptions {
  /** What the model thinks comes next. */
  readonly score: Score;
  readonly endTokenId: number;
  /** Most output tokens. */
  readonly limit: number;
  /** Token sequences that end outputs. */
  readonly stopSequences?: readonly Int32Array[] | undefined;
}

const OPTIONS: OptionTable<ReferenceGreedyOptions> = {
  score: callback<Score>(numbersOf),
  endTokenId: integer(Number.MIN_SAFE_INTEGER),
  limit: integer(1, 2 ** 20),
  stopSequences: listOf(tokens(1)),
};

/** What the reference gives for one source. */
export interface ReferenceOutput {
  readonly tokenIds: readonly number[];
  /** What ended the output. */
  readonly finishReason: FinishReason;
  /** Sum of natural-log probabilities, the end token's included. */
  readonly score: number;
}

/** Greedy decoding straight on the score function: no forest, no cache, nothing to get wrong. */
export function referenceGreedy(source: TokenSource, options: ReferenceGreedyOptions): ReferenceOutput {
  const required = ['score', 'endTokenId', 'limit'] as const;
  const { score, endTokenId, limit, stopSequences = [] } = checkOptions('referenceGreedy', options, OPTIONS, required);
  const tokenIds: number[] = [];
  let total = 0;
  for (;;) {
    const logits = score(source, tokenIds);
    const tokenId = ranked(logits)[0];
    total += logSoftmax(logits)[tokenId];
    if (tokenId === endTokenId) return { tokenIds, finishReason: 'end-token', score: total };
    tokenIds.push(tokenId);
    const text = `,${tokenIds.join(',')}`;
    if (stopSequences.some((sequence) => text.endsWith(`,${sequence.join(',')}`))) {
      return { tokenIds, finishReason: 'stop-sequence', score: total };
    }
    if (tokenIds.length >= limit) return { tokenIds, finishReason: 'length', score: total };
  }
}
