import type { AutoregressiveModel, NodeId, TokenSource } from '@foretoken/core';
import { NodeBatch, ROOT, topK } from '@foretoken/core/kit';

export interface Beam {
  /** Without the end token. */
  readonly tokenIds: readonly number[];
  readonly logProb: number;
  /** The end token counted, where there is one. */
  readonly length: number;
}

interface Running extends Beam {
  readonly ended: boolean;
  readonly last: number;
  readonly node: NodeId;
}

/**
 * A beam in which what has ended keeps its place and competes by its sum of log-probabilities, as some packages search; `never` tokens are
 * not said, and the first is no end. It shows that a model's tree gives any search what it asks for.
 */
export async function finishedInBeam(
  model: AutoregressiveModel<TokenSource>,
  source: TokenSource,
  { beamSize, steps, never }: { readonly beamSize: number; readonly steps: number; readonly never: readonly number[] },
): Promise<readonly Beam[]> {
  await using forest = await model.open([source]);
  const { size, endTokenId = -1 } = model.vocabulary;
  const { prefix, node } = forest.start(0);
  let beam: Running[] = [{ tokenIds: [], logProb: 0, length: 0, ended: false, last: prefix[0], node: node ?? ROOT }];
  for (let step = 0; step < steps && beam.some(({ ended }) => !ended); step++) {
    const running = beam.filter(({ ended }) => !ended);
    const nodes = new NodeBatch();
    for (const { node: parent, last } of running) nodes.add(0, parent, last, true);
    const { logProbs, firstNode } = await forest.extend(nodes, { kind: 'logProbs' });
    const grown = running.flatMap(({ tokenIds, logProb, length }, index): Running[] => {
      const scores = logProbs.slice(index * size, (index + 1) * size);
      for (const id of step === 0 ? [...never, endTokenId] : never) scores[id] = Number.NEGATIVE_INFINITY;
      return Array.from(topK(scores, beamSize), (id) => ({
        tokenIds: id === endTokenId ? tokenIds : [...tokenIds, id],
        logProb: logProb + scores[id],
        length: length + 1,
        ended: id === endTokenId,
        last: id,
        node: firstNode + index,
      }));
    });
    beam = [...beam.filter(({ ended }) => ended), ...grown].sort((a, b) => b.logProb - a.logProb).slice(0, beamSize);
    const kept = beam.filter(({ ended }) => !ended).map((one) => one.node);
    if (kept.length > 0) forest.retain(0, [...new Set(kept)]);
  }
  return beam;
}
