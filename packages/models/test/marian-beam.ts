import type { AutoregressiveModel, NodeId, TokenSource } from '@foretoken/core';
import { NodeBatch, nodeIdOf, ROOT } from '@foretoken/core/kit';

interface Beam {
  readonly tokenIds: readonly number[];
  readonly logProb: number;
  readonly parent: NodeId;
  readonly next: ArrayLike<number>;
}

/** An output of Marian's search; the score is the mean log-probability, end token included. */
export interface MarianHypothesis {
  readonly tokenIds: Int32Array;
  readonly score: number;
}

/**
 * The n-best list of Marian's own beam search, best first: each output that ends takes its place with it, so the beam becomes narrower
 * with every one, and what has not ended after `maxTokens` ends there. `beamSearch` keeps its width instead, as transformers does.
 */
export async function marianBeam(
  model: AutoregressiveModel<TokenSource>,
  source: TokenSource,
  beamSize: number,
  maxTokens: number,
): Promise<MarianHypothesis[]> {
  const { size, endTokenId } = model.vocabulary;
  await using forest = await model.open([source]);
  let running: Beam[] = [{ tokenIds: [], logProb: 0, parent: ROOT, next: forest.start(0).prefix }];
  const ended: MarianHypothesis[] = [];
  for (let length = 1; running.length > 0; length++) {
    const width = length === 1 ? beamSize : running.length;
    const nodes = new NodeBatch();
    const handles = running.map(({ parent, next }) => nodes.addChain(0, parent, Int32Array.from(next), 'last'));
    const { logProbs, firstNode } = await forest.extend(nodes, { kind: 'logProbs' });
    const candidates = running.flatMap((beam, place) =>
      Array.from(logProbs.subarray(place * size, (place + 1) * size), (logProb, tokenId) => ({
        beam,
        leaf: nodeIdOf(handles[place], firstNode),
        tokenId,
        logProb: beam.logProb + logProb,
      })),
    );
    candidates.sort((a, b) => b.logProb - a.logProb);
    running = [];
    for (const { beam, leaf, tokenId, logProb } of candidates.slice(0, width)) {
      const ends = tokenId === endTokenId;
      const tokenIds = ends ? beam.tokenIds : [...beam.tokenIds, tokenId];
      if (ends || length === maxTokens) ended.push({ tokenIds: Int32Array.from(tokenIds), score: logProb / length });
      else running.push({ tokenIds, logProb, parent: leaf, next: [tokenId] });
    }
  }
  return ended.sort((a, b) => b.score - a.score).slice(0, beamSize);
}
