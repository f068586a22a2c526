import {
  type Alternatives,
  argmax,
  type Extension,
  logSumExp,
  noTokenLeft,
  type OutputRequest,
  type ScoreProcessor,
  topK,
} from '@foretoken/core';
import type { OpenHypothesis } from './open-hypothesis.js';

/** A token, and what was asked to be known of it. */
export interface Chosen {
  readonly tokenId: number;
  /** Natural-log probability under the model alone. */
  readonly logProb?: number;
  readonly alternatives?: Alternatives;
}

/** How next tokens are chosen: the output it takes from the model, and the choice for one of the new nodes. */
export interface TokenChoice<Output extends OutputRequest = OutputRequest> {
  readonly output: Output;
  /** `index` is the place among the scored nodes. May overwrite the node's scores where `last` says so. */
  choose(extension: Extension<Output>, index: number, hypothesis: OpenHypothesis, last: boolean): Chosen;
}

/** The most probable token, from the model's own argmax. */
export const bestToken: TokenChoice<{ readonly kind: 'argmax' }> = {
  output: { kind: 'argmax' },
  choose: ({ tokenIds }, index) => ({ tokenId: tokenIds[index] as number }),
};

/** The most probable token with its log-probability and the `alternatives` best; from the model's own top k. */
export function bestOfTopK(alternatives: number): TokenChoice<{ readonly kind: 'topK'; readonly k: number }> {
  return {
    output: { kind: 'topK', k: Math.max(alternatives, 1) },
    choose: ({ tokenIds, logProbs, k }, index) => ({
      tokenId: tokenIds[index * k] as number,
      logProb: logProbs[index * k] as number,
      ...(alternatives === 0
        ? {}
        : {
            alternatives: {
              tokenIds: tokenIds.slice(index * k, (index + 1) * k),
              logProbs: logProbs.slice(index * k, (index + 1) * k),
            },
          }),
    }),
  };
}

/** Takes a token from scores that all rules have been applied to; -1 where none is left. May overwrite the scores. */
export type Pick = (scores: Float32Array, hypothesis: OpenHypothesis) => number;

export const pickBest: Pick = (scores) => argmax(scores);

/** What is to be known of a chosen token. */
export interface Wanted {
  readonly logProbs: boolean;
  /** How many of the best tokens to report at each position; needs `logProbs`. */
  readonly alternatives: number;
}

/** A token picked from the model's `k` best, for picks that look at no other: the same choice, with far less copied. */
export function pickedFromTopK(
  k: number,
  pick: Pick,
  wanted: Wanted,
): TokenChoice<{ readonly kind: 'topK'; readonly k: number }> {
  return {
    output: { kind: 'topK', k: Math.max(k, wanted.alternatives) },
    choose({ tokenIds, logProbs, k: width }, index, hypothesis) {
      const ids = tokenIds.subarray(index * width, (index + 1) * width);
      const values = logProbs.subarray(index * width, (index + 1) * width);
      // In the order of token ids, as a pick from the whole vocabulary goes through them.
      const order = Array.from(ids.subarray(0, k), (_, rank) => rank).sort(
        (a, b) => (ids[a] as number) - (ids[b] as number),
      );
      const picked = pick(
        Float32Array.from(order, (rank) => values[rank] as number),
        hypothesis,
      );
      if (picked < 0) throw noTokenLeft(hypothesis.row, hypothesis.output.length);
      const rank = order[picked] as number;
      const tokenId = ids[rank] as number;
      if (!wanted.logProbs) return { tokenId };
      const logProb = values[rank] as number;
      if (wanted.alternatives === 0) return { tokenId, logProb };
      const best = wanted.alternatives;
      return { tokenId, logProb, alternatives: { tokenIds: ids.slice(0, best), logProbs: values.slice(0, best) } };
    },
  };
}

/** A token picked from the whole vocabulary's scores, after the rules. */
export function ruledToken(
  vocabularySize: number,
  rules: readonly ScoreProcessor[],
  pick: Pick,
  wanted: Wanted,
): TokenChoice<{ readonly kind: 'logits' }> {
  return {
    output: { kind: 'logits' },
    choose({ logits }, index, hypothesis, last) {
      const raw = logits.subarray(index * vocabularySize, (index + 1) * vocabularySize);
      // The extension's arrays are ours; a copy is needed only where someone reads the model's own scores later.
      const scores = last && !wanted.logProbs ? raw : raw.slice();
      for (const rule of rules) rule(scores, hypothesis);
      const tokenId = pick(scores, hypothesis);
      if (tokenId < 0) throw noTokenLeft(hypothesis.row, hypothesis.output.length);
      if (!wanted.logProbs) return { tokenId };
      const normaliser = logSumExp(raw);
      const logProb = (raw[tokenId] as number) - normaliser;
      if (wanted.alternatives === 0) return { tokenId, logProb };
      const tokenIds = topK(raw, wanted.alternatives);
      const logProbs = Float32Array.from(tokenIds, (other) => (raw[other] as number) - normaliser);
      return { tokenId, logProb, alternatives: { tokenIds, logProbs } };
    },
  };
}
