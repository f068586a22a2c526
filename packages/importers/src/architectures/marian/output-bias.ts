import type { Yielder } from '@foretoken/core/kit';
import type { GraphBuilder, Value } from '../../graphs/graph-builder.js';
import type { MarianNetwork } from './marian-network.js';

/** Added to the logit of a suppressed token. fp16 storage holds down to -65504; this leaves no token a chance and stays finite. */
const SUPPRESSED = -60_000;

/** What is added to the logits, `[vocabulary]`: the checkpoint's bias, and what rules suppressed tokens out. */
export function outputBias(graph: GraphBuilder, { shape, weights, suppressed }: MarianNetwork): Value {
  const own = weights.tensorOf('final_logits_bias', [1, shape.vocabularySize]);
  const bias = async (pace: Yielder): Promise<Float32Array> => {
    const values = Float32Array.from(await own.values(pace));
    for (const tokenId of suppressed) values[tokenId] = SUPPRESSED;
    return values;
  };
  const name = suppressed.length === 0 ? 'final_logits_bias' : 'final_logits_bias.suppressed';
  return graph.weight(name, [shape.vocabularySize], bias);
}
