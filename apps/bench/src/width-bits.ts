import { collect, type TokenSource } from '@foretoken/core';
import { NodeBatch, nodeIdOf } from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import type { BenchModel } from './bench-model.js';

/** Nodes of the wide forward. */
const WIDTH = 16;

/**
 * Whether plain decoding and verification score alike, bit by bit: the logits along greedy outputs, one node a forward,
 * against those of the same nodes in one forward. The share of sentences where every bit is equal.
 */
export async function measureWidthBits(
  bench: Pick<BenchModel, 'autoregressive'>,
  sources: readonly TokenSource[],
): Promise<number> {
  let equal = 0;
  for (const source of sources) {
    const { results } = await collect(
      greedy().decode(bench.autoregressive, { sources: [source], maxNewTokens: WIDTH }),
    );
    const tokenIds = [...(results[0]?.best.tokenIds ?? [])];
    const together = await logitsOf(bench, source, tokenIds, WIDTH);
    const alone = await logitsOf(bench, source, tokenIds, 1);
    if (Buffer.from(together.buffer).equals(Buffer.from(alone.buffer))) equal++;
  }
  return equal / sources.length;
}

/** Logits after the start and after each token, `width` nodes a forward. */
async function logitsOf(
  { autoregressive }: Pick<BenchModel, 'autoregressive'>,
  source: TokenSource,
  tokenIds: readonly number[],
  width: number,
): Promise<Float32Array> {
  const { size } = autoregressive.vocabulary;
  await using forest = await autoregressive.open([source]);
  const { prefix, cached, node } = forest.start(0);
  const chain = [...prefix.subarray(cached), ...tokenIds];
  const all = new Float32Array(chain.length * size);
  const nodes = new NodeBatch();
  let parent = node;
  for (let begin = 0; begin < chain.length; begin += width) {
    nodes.clear();
    const last = nodes.addChain(0, parent, chain.slice(begin, begin + width), 'all');
    const { firstNode, logits } = await forest.extend(nodes, { kind: 'logits' });
    parent = nodeIdOf(last, firstNode);
    all.set(logits, begin * size);
  }
  return all;
}
