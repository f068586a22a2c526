import type { Hypothesis, TokenSource } from '@foretoken/core';
import assert from './assert.js';
import { END } from './decoder-models.js';
import type { Score } from './random-logits.js';
import { logSoftmax } from './scripted-scores.js';

/** Where they are given, each is the model's own of the token that was chosen there, the end token's last. */
export function assertTokenLogProbs(
  { tokenIds, tokenLogProbs, finishReason }: Hypothesis,
  score: Score,
  source: TokenSource,
): void {
  if (tokenLogProbs === undefined) return;
  const chosen = finishReason === 'end-token' ? [...tokenIds, END] : [...tokenIds];
  assert.equal(tokenLogProbs.length, chosen.length, 'a log-probability for each token that was chosen');
  for (const [position, tokenId] of chosen.entries()) {
    const expected = logSoftmax(score(source, chosen.slice(0, position)))[tokenId];
    const near = Math.abs(tokenLogProbs[position] - expected) < 1e-4;
    assert.ok(near, `token ${position} has ${expected} under the model, not ${tokenLogProbs[position]}`);
  }
}
