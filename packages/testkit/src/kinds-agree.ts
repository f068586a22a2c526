import type { OutputKind } from '@foretoken/core';
import assert from './assert.js';
import { assertClose } from './forest-scores.js';

/** What each kind of output says of one node is what the fullest of them says of it. */
export function assertKindsAgree(said: ReadonlyMap<OutputKind, readonly number[]>, tolerance: number): void {
  const full = said.get('logits') ?? said.get('logProbs');
  if (full === undefined) return;
  const order = full.map((_, tokenId) => tokenId).sort((a, b) => full[b] - full[a] || a - b);
  const max = full[order[0]];
  const normaliser = Math.log(full.reduce((sum, score) => sum + Math.exp(score - max), 0)) + max;
  const logProbs = full.map((score) => score - normaliser);
  const near = Math.max(tolerance, 1e-4);
  const best = said.get('argmax');
  if (best !== undefined) {
    const [tokenId, score] = best;
    assert.equal(tokenId, order[0], 'argmax is the token with the highest score');
    const reported = score !== undefined && said.has('logits');
    if (reported) assertClose([score], [max], near, 'the score that argmax reports is the highest one');
  }
  const all = said.get('logProbs');
  if (all !== undefined) assertClose(all, logProbs, near, 'log-probabilities are scores less their normaliser');
  const top = said.get('topK');
  if (top === undefined) return;
  const k = top.length / 2;
  assert.deepEqual(top.slice(0, k), order.slice(0, k), 'the k best come best first');
  assertClose(
    top.slice(k),
    order.slice(0, k).map((tokenId) => logProbs[tokenId]),
    near,
    'with their log-probabilities',
  );
}
