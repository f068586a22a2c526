import { attend, projectOut, queryKeyValue } from '../../blocks/attention.js';
import { blockContext } from '../../blocks/block-context.js';
import { scoreTokens } from '../../blocks/embedding.js';
import { type HeadNames, type ScoreHead, scoreHead } from '../../blocks/heads.js';
import { crossAttentionBlock, feedForwardBlock, ownAttentionBlock } from '../../blocks/transformer-layers.js';
import type { GraphBuilder, Value } from '../../graphs/graph-builder.js';
import { declareTokens, layerOf, type MarianNetwork, placeTokens, type TokenInput } from './marian-network.js';
import { outputBias } from './output-bias.js';

/** What a step graph returns for each new node; see `emitStep`. */
export type StepHead = ScoreHead | 'topKWithStates';

/**
 * One decoder step over new nodes: `token_ids`, `positions` int32 `[batch, new]`;
 * `attention_bias [batch, 1, new, past + new]`, 0 where a node sees another and a large negative number elsewhere;
 * `past_i [batch, past, width]`, cached keys at even and values at odd i; `cross_bias [batch, 1, new, source]`, likewise
 * for padding; `cross_i [batch, source, width]`, keys at even and values at odd i; `scored [scored]`, int32, the cells of the
 * flattened `[batch, new]` whose successors are wanted.
 *
 * Returns `new [batch, new, 2 * layers * width]`, only the new keys and values, and the head's outputs, a row for each
 * of `scored`.
 */
export function emitStep(graph: GraphBuilder, network: MarianNetwork, head: StepHead): void {
  const { width, vocabularySize } = network.shape;
  const rows = emitDecoder(graph, network, 'ids');
  if (head === 'topKWithStates') declareStates(graph, rows, width);
  const named = head === 'logits' ? { name: 'logits' } : {};
  const logits = scoreTokens(graph, network.embedding, rows, outputBias(graph, network), named);
  const kind = head === 'topKWithStates' ? 'topK' : head;
  const k = () => graph.input('k', 'int64', [1]);
  const { scores, tokenIds } = scoreHead(graph, kind, logits, k, HEAD_NAMES[kind]);
  const columns = { argmax: 1, topK: 'k', logProbs: vocabularySize, logits: vocabularySize }[kind];
  graph.output(scores, 'float32', ['scored', columns]);
  if (tokenIds !== undefined) graph.output(tokenIds, 'int32', ['scored', columns]);
}

/**
 * A step without its head: `emitStep` with `embedded [batch, new, width]` in place of `token_ids`, and the `states
 * [scored, width]` of the last layer in place of the head's outputs.
 */
export function emitStepBody(graph: GraphBuilder, network: MarianNetwork): void {
  declareStates(graph, emitDecoder(graph, network, 'embedded'), network.shape.width);
}

const HEAD_NAMES: Readonly<Record<ScoreHead, HeadNames>> = {
  argmax: { scores: 'score', tokenIds: 'best' },
  topK: { scores: 'best', tokenIds: 'best_token_ids' },
  logProbs: { scores: 'log_probs' },
  logits: {},
};

function declareStates(graph: GraphBuilder, rows: Value, width: number): void {
  graph.op('Identity', [rows], {}, { name: 'states' });
  graph.output('states', 'float32', ['scored', width]);
}

/** The decoder's layers: inputs and `new` as `emitStep` says, and the states of the scored cells, `[scored, width]`. */
function emitDecoder(graph: GraphBuilder, network: MarianNetwork, kind: TokenInput): Value {
  const { shape, weights } = network;
  const { width, decoderLayers } = shape;
  const context = blockContext(graph, weights.tensorOf, { precision: network.precision, folded: weights.folded });
  const tokens = declareTokens(graph, network, kind, ['batch', 'new']);
  const positions = graph.input('positions', 'int32', ['batch', 'new']);
  const attentionBias = graph.input('attention_bias', 'float32', ['batch', 1, 'new', 'total']);
  const pasts = Array.from({ length: 2 * decoderLayers }, (_, index) =>
    graph.input(`past_${index}`, 'float32', ['batch', 'past', width]),
  );
  const crossBias = graph.input('cross_bias', 'float32', ['batch', 1, 'new', 'source']);
  const cross = Array.from({ length: 2 * decoderLayers }, (_, index) =>
    graph.input(`cross_${index}`, 'float32', ['batch', 'source', width]),
  );
  const fresh: Value[] = [];
  let x = placeTokens(graph, network, kind, tokens, positions);
  for (let number = 0; number < decoderLayers; number++) {
    const layer = layerOf(shape, shape.decoderFeedForward, 'model.decoder.layers', number);
    x = ownAttentionBlock(context, layer, x, (seen, attention, prefix) => {
      const [query, key, value] = queryKeyValue(context, attention, seen, prefix);
      fresh.push(key, value);
      const keys = graph.op('Concat', [pasts[2 * number], key], { axis: 1 });
      const values = graph.op('Concat', [pasts[2 * number + 1], value], { axis: 1 });
      const inputs = { query, key: keys, value: values, mask: attentionBias };
      return projectOut(context, attention, attend(context, attention.heads, inputs), prefix);
    });
    const source = { keys: cross[2 * number], values: cross[2 * number + 1], bias: crossBias };
    x = crossAttentionBlock(context, layer, x, source);
    x = feedForwardBlock(context, layer, x);
  }
  graph.op('Concat', fresh, { axis: 2 }, { name: 'new' });
  graph.output('new', 'float32', ['batch', 'new', 2 * decoderLayers * width]);
  const cells = graph.op('Reshape', [x, graph.constant('int64', [2], [-1, width])]);
  return graph.op('Gather', [cells, graph.input('scored', 'int32', ['scored'])]);
}
