import type { Yielder } from '@foretoken/core/kit';
import { scoreTokens } from '../../blocks/embedding.js';
import type { GraphBuilder, Value } from '../../graphs/graph-builder.js';
import type { EncoderDecoderNetwork } from './network.js';

/** Added to the logit of a suppressed token. fp16 storage holds down to -65504; this leaves no token a chance and stays finite. */
const SUPPRESSED = -60_000;

/** What is added to the logits, `[vocabulary]`: the checkpoint's bias, and what rules suppressed tokens out; undefined for neither. */
export function outputBias(
  graph: GraphBuilder,
  { vocabularySize, tensorOf, head, suppressed }: EncoderDecoderNetwork,
): Value | undefined {
  if (head.bias === undefined && suppressed.length === 0) return undefined;
  const own = head.bias === undefined ? undefined : tensorOf(head.bias, [1, vocabularySize]);
  const bias = async (pace: Yielder): Promise<Float32Array> => {
    const values = own === undefined ? new Float32Array(vocabularySize) : Float32Array.from(await own.values(pace));
    for (const tokenId of suppressed) values[tokenId] = SUPPRESSED;
    return values;
  };
  const name = [...(head.bias === undefined ? [] : [head.bias]), ...(suppressed.length === 0 ? [] : ['suppressed'])];
  return graph.weight(name.join('.'), [vocabularySize], bias);
}

/** States as they are multiplied with the output matrix. */
export function scaledStates(graph: GraphBuilder, { head }: EncoderDecoderNetwork, states: Value): Value {
  if (head.scale === undefined) return states;
  return graph.op('Mul', [states, graph.constant('float32', [], [head.scale])]);
}

/** Logits `[rows, vocabulary]` of states `[rows, width]`, `bias` added where there is one. */
export function scoreStates(
  graph: GraphBuilder,
  network: EncoderDecoderNetwork,
  states: Value,
  bias: Value | undefined,
  named: { readonly name?: string | undefined } = {},
): Value {
  return scoreTokens(graph, network.head.embedding, scaledStates(graph, network, states), bias, named);
}
