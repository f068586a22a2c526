import type { Yielder } from '@foretoken/core/kit';
import { declareCross, emitCross } from '../../blocks/cross-projection.js';
import { LayerEmitter, type LayerShape, type ProductPrecision } from '../../blocks/layers.js';
import { positionTable } from '../../blocks/position-table.js';
import type { SourceTokens } from '../../blocks/source-tokens.js';
import type { GraphBuilder, Value } from '../../graphs/graph-builder.js';
import type { TensorOf } from '../../tensors/tensor-reader.js';
import { ENCODER_STACK, type FoldedBiases } from './fold-biases.js';
import type { MarianShape } from './marian-shape.js';

const layerShape = (shape: MarianShape, feedForward: number): LayerShape => ({
  width: shape.width,
  heads: shape.heads,
  feedForward,
});

/**
 * Encoder: `token_ids`, `positions`, `mask` int32 `[batch, source]` in; `states [batch, source, width]` and
 * `cross [2 * layers, batch, source, width]` out, the latter holding each decoder layer's cross-attention keys (even) and
 * values (odd).
 */
export function emitEncoder(graph: GraphBuilder, weights: FoldedBiases, shape: MarianShape): void {
  const dims = ['batch', 'source'];
  const source = {
    tokenIds: graph.input('token_ids', 'int32', dims),
    positions: graph.input('positions', 'int32', dims),
    mask: graph.input('mask', 'int32', dims),
  };
  const x = emitEncoderLayers(graph, weights, shape, source, 'float32');
  const { width, decoderLayers } = shape;
  emitCross(graph, weights.tensorOf, x, { name: 'cross', layers: 'model.decoder.layers', count: decoderLayers, width });
  graph.op('Identity', [x], {}, { name: 'states' });
  graph.output('states', 'float32', ['batch', 'source', width]);
  declareCross(graph, decoderLayers, width);
}

/** The encoder's states of sources, `[batch, source, width]`; `stack` and a number name a layer in the weights. */
export function emitEncoderLayers(
  graph: GraphBuilder,
  { tensorOf, folded }: FoldedBiases,
  shape: MarianShape,
  { tokenIds, positions, mask }: SourceTokens,
  precision: ProductPrecision,
  stack: string = ENCODER_STACK,
): Value {
  const layers = new LayerEmitter(graph, tensorOf, layerShape(shape, shape.encoderFeedForward), precision, folded);
  let x = embed(graph, tensorOf, shape, tokenIds, positions);
  for (let layer = 0; layer < shape.encoderLayers; layer++) {
    x = layers.encoderLayer(x, mask, `${stack}.${layer}`);
  }
  return x;
}

/** What a step graph returns for each new node; see `emitStep`. */
export type StepHead = 'argmax' | 'topK' | 'topKWithStates' | 'logProbs' | 'logits';

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
export function emitStep(
  graph: GraphBuilder,
  { tensorOf, folded }: FoldedBiases,
  shape: MarianShape,
  head: StepHead,
  suppressed: readonly number[],
): void {
  const { width, decoderLayers } = shape;
  const layers = new LayerEmitter(graph, tensorOf, layerShape(shape, shape.decoderFeedForward), 'float32', folded);
  const tokenIds = graph.input('token_ids', 'int32', ['batch', 'new']);
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
  let x = embed(graph, tensorOf, shape, tokenIds, positions);
  for (let layer = 0; layer < decoderLayers; layer++) {
    const prefix = `model.decoder.layers.${layer}`;
    const [query, key, value] = layers.queryKeyValue(x, `${prefix}.self_attn`);
    fresh.push(key, value);
    const keys = graph.op('Concat', [pasts[2 * layer] as Value, key], { axis: 1 });
    const values = graph.op('Concat', [pasts[2 * layer + 1] as Value, value], { axis: 1 });
    const attended = layers.attention(query, keys, values, attentionBias);
    x = layers.closeAttention(x, attended, `${prefix}.self_attn`, `${prefix}.self_attn_layer_norm`);
    const source = { keys: cross[2 * layer] as Value, values: cross[2 * layer + 1] as Value, bias: crossBias };
    x = layers.crossAttentionBlock(x, source, prefix);
    x = layers.feedForward(x, prefix);
  }
  graph.op('Concat', fresh, { axis: 2 }, { name: 'new' });
  graph.output('new', 'float32', ['batch', 'new', 2 * decoderLayers * width]);
  emitHead(graph, tensorOf, shape, head, x, suppressed);
}

/** `sqrt(width) * embedding + position`, `[batch, time, width]`. */
function embed(graph: GraphBuilder, tensorOf: TensorOf, shape: MarianShape, tokenIds: Value, positions: Value): Value {
  const { width, maxPositions } = shape;
  let x = graph.op('Gather', [embedding(graph, tensorOf, shape), tokenIds]);
  if (shape.scaleEmbedding) x = graph.op('Mul', [x, graph.constant('float32', [], [Math.sqrt(width)])]);
  return graph.op('Add', [x, graph.op('Gather', [positionTable(graph, maxPositions, width), positions])]);
}

function embedding(graph: GraphBuilder, tensorOf: TensorOf, shape: MarianShape): Value {
  const table = tensorOf('model.shared.weight', [shape.vocabularySize, shape.width]);
  return graph.weight('model.shared.weight', table.dims, table.values);
}

function emitHead(
  graph: GraphBuilder,
  tensorOf: TensorOf,
  shape: MarianShape,
  head: StepHead,
  x: Value,
  suppressed: readonly number[],
): void {
  const { width, vocabularySize } = shape;
  const own = tensorOf('final_logits_bias', [1, vocabularySize]);
  const bias = async (pace: Yielder): Promise<Float32Array> => {
    const values = Float32Array.from(await own.values(pace));
    // fp16 storage holds down to -65504; this leaves no token a chance and stays finite.
    for (const tokenId of suppressed) values[tokenId] = -60000;
    return values;
  };
  const biasName = suppressed.length === 0 ? 'final_logits_bias' : 'final_logits_bias.suppressed';
  const cells = graph.op('Reshape', [x, graph.constant('int64', [2], [-1, width])]);
  const rows = graph.op('Gather', [cells, graph.input('scored', 'int32', ['scored'])]);
  // The embedding table serves as the output matrix: stored once, read here transposed.
  if (head === 'topKWithStates') {
    graph.op('Identity', [rows], {}, { name: 'states' });
    graph.output('states', 'float32', ['scored', width]);
  }
  const logits = graph.op(
    'Gemm',
    [rows, embedding(graph, tensorOf, shape), graph.weight(biasName, [vocabularySize], bias)],
    { transB: 1 },
    head === 'logits' ? { name: 'logits' } : {},
  );
  if (head === 'logits') {
    graph.output('logits', 'float32', ['scored', vocabularySize]);
    return;
  }
  if (head === 'argmax') {
    // The lowest id among equals, as ArgMax, in two thirds of its time.
    const one = graph.constant('int64', [1], [1]);
    const [scores, best] = graph.ops('TopK', [logits, one], 2, { axis: 1 }, { name: 'score' }) as [Value, Value];
    // The score tells whether there is anything to choose at all: it may be NaN or infinite.
    graph.output(scores, 'float32', ['scored', 1]);
    graph.output(graph.op('Cast', [best], { to: 6 }, { name: 'best' }), 'int32', ['scored', 1]);
    return;
  }
  const logProbs = graph.op('LogSoftmax', [logits], { axis: 1 }, head === 'logProbs' ? { name: 'log_probs' } : {});
  if (head === 'logProbs') {
    graph.output('log_probs', 'float32', ['scored', vocabularySize]);
    return;
  }
  const k = graph.input('k', 'int64', [1]);
  const [values, indices] = graph.ops('TopK', [logProbs, k], 2, { axis: 1 }, { name: 'best' }) as [Value, Value];
  graph.output(values, 'float32', ['scored', 'k']);
  graph.output(graph.op('Cast', [indices], { to: 6 }, { name: 'best_token_ids' }), 'int32', ['scored', 'k']);
}
