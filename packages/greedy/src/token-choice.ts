import type { Alternatives, Extension, OutputRequest, ScoreProcessor, TopKExtension } from '@foretoken/core';
import { argmax, assertPossible, assertScores, logSumExp, noTokenLeft, topK } from '@foretoken/core/kit';
import type { Chosen, OpenHypothesis } from './open-hypothesis.js';

/** How next tokens are chosen: the output it takes from the model, and the choice for one of the new nodes. */
export interface TokenChoice<Output extends OutputRequest = OutputRequest> {
  readonly output: Output;
  /** `index` is the place among the scored nodes. May overwrite the node's scores where `last` says so. */
  choose(extension: Extension<Output>, index: number, hypothesis: OpenHypothesis, last: boolean): Chosen;
}

/** The most probable token, from the model's own argmax. */
export const bestToken: TokenChoice<{ readonly kind: 'argmax' }> = {
  output: { kind: 'argmax' },
  choose({ tokenIds, scores }, index, { row, output }) {
    if (scores !== undefined) assertPossible(scores[index], row, output.length);
    return { tokenId: tokenIds[index] };
  },
};

/** The most probable token with its log-probability and the `alternatives` best; from the model's own top k. */
export function bestOfTopK(alternatives: number): TokenChoice<{ readonly kind: 'topK'; readonly k: number }> {
  return {
    output: { kind: 'topK', k: Math.max(alternatives, 1) },
    choose(extension, index, hypothesis) {
      const { tokenIds, logProbs } = possibleOf(extension, index, hypothesis);
      const chosen = { tokenId: tokenIds[0], logProb: logProbs[0] };
      return alternatives === 0 ? chosen : { ...chosen, alternatives: firstOf({ tokenIds, logProbs }, alternatives) };
    },
  };
}

/** Those of a node's best tokens that are possible, best first, at least one. */
function possibleOf(
  { tokenIds, logProbs, k }: TopKExtension,
  index: number,
  { row, output }: OpenHypothesis,
): Alternatives {
  const begin = index * k;
  assertScores(logProbs, row, output.length, begin, begin + k);
  let end = begin;
  while (end < begin + k && logProbs[end] > Number.NEGATIVE_INFINITY) end++;
  if (end === begin) throw noTokenLeft(row, output.length);
  return { tokenIds: tokenIds.subarray(begin, end), logProbs: logProbs.subarray(begin, end) };
}

/** Copies of the first, for the caller to keep. */
function firstOf({ tokenIds, logProbs }: Alternatives, count: number): Alternatives {
  return { tokenIds: tokenIds.slice(0, count), logProbs: logProbs.slice(0, count) };
}

/** Takes a token from scores that all rules have been applied to; -1 where none is left. May overwrite the scores. */
export type Pick = (scores: Float32Array, hypothesis: OpenHypothesis) => number;

export const pickBest: Pick = (scores) => argmax(scores);

/** What is to be reported of a chosen token beside its id. */
export interface ChoiceDetails {
  readonly logProbs: boolean;
  /** How many of the best tokens to report at each position; needs `logProbs`. */
  readonly alternatives: number;
}

/** A token picked from the model's `k` best, for picks that look at no other: the same choice, with far less copied. */
export function pickedFromTopK(
  k: number,
  pick: Pick,
  details: ChoiceDetails,
): TokenChoice<{ readonly kind: 'topK'; readonly k: number }> {
  return {
    output: { kind: 'topK', k: Math.max(k, details.alternatives) },
    choose(extension, index, hypothesis) {
      const possible = possibleOf(extension, index, hypothesis);
      const { tokenIds, logProbs } = possible;
      // In the order of token ids, as a pick from the whole vocabulary goes through them.
      const order = Array.from(tokenIds.subarray(0, k), (_, rank) => rank).sort((a, b) => tokenIds[a] - tokenIds[b]);
      const picked = pick(
        Float32Array.from(order, (rank) => logProbs[rank]),
        hypothesis,
      );
      if (picked < 0) throw noTokenLeft(hypothesis.row, hypothesis.output.length);
      const rank = order[picked];
      const tokenId = tokenIds[rank];
      if (!details.logProbs) return { tokenId };
      const logProb = logProbs[rank];
      if (details.alternatives === 0) return { tokenId, logProb };
      return { tokenId, logProb, alternatives: firstOf(possible, details.alternatives) };
    },
  };
}

/** A token picked from the whole vocabulary's scores, after the rules. */
export function ruledToken(
  vocabularySize: number,
  rules: readonly ScoreProcessor[],
  pick: Pick,
  details: ChoiceDetails,
): TokenChoice<{ readonly kind: 'logits' }> {
  return {
    output: { kind: 'logits' },
    choose({ logits }, index, hypothesis, last) {
      const raw = logits.subarray(index * vocabularySize, (index + 1) * vocabularySize);
      const { row, output } = hypothesis;
      assertScores(raw, row, output.length);
      // The extension's arrays are ours; a copy is needed only where someone reads the model's own scores later.
      const scores = last && !details.logProbs ? raw : raw.slice();
      for (const rule of rules) rule(scores, hypothesis);
      if (rules.length > 0) assertScores(scores, row, output.length);
      const tokenId = pick(scores, hypothesis);
      if (tokenId < 0) throw noTokenLeft(row, output.length);
      if (!details.logProbs) return { tokenId };
      // Above -Infinity, so that what rules allow in spite of the model has the probability 0, not none.
      const normaliser = Math.max(logSumExp(raw), -Number.MAX_VALUE);
      const logProb = raw[tokenId] - normaliser;
      if (details.alternatives === 0) return { tokenId, logProb };
      const tokenIds = topK(raw, details.alternatives);
      const logProbs = Float32Array.from(tokenIds, (other) => raw[other] - normaliser);
      return { tokenId, logProb, alternatives: { tokenIds, logProbs } };
    },
  };
}
