import { blockContext, type ProductPrecision } from '../../blocks/block-context.js';
import { declareCross, emitCross } from '../../blocks/cross-projection.js';
import { encoderLayer } from '../../blocks/transformer-layers.js';
import type { GraphBuilder, Value } from '../../graphs/graph-builder.js';
import { ENCODER_STACK } from './fold-biases.js';
import { declareTokens, layerOf, type MarianNetwork, placeTokens, type TokenInput } from './marian-network.js';

/** A batch of sources: token ids or embeddings, `positions` and `mask` int32 `[batch, source]`. */
export interface EncoderSource {
  readonly kind: TokenInput;
  readonly tokens: Value;
  readonly positions: Value;
  readonly mask: Value;
}

/**
 * Encoder: `token_ids` int32 `[batch, source]` or `embedded [batch, source, width]`, `positions`, `mask` int32 `[batch, source]`
 * in; `states [batch, source, width]` and `cross [2 * layers, batch, source, width]` out, the latter holding each decoder
 * layer's cross-attention keys (even) and values (odd).
 */
export function emitEncoder(graph: GraphBuilder, network: MarianNetwork, kind: TokenInput): void {
  const dims = ['batch', 'source'];
  const source = {
    kind,
    tokens: declareTokens(graph, network, kind, dims),
    positions: graph.input('positions', 'int32', dims),
    mask: graph.input('mask', 'int32', dims),
  };
  const x = emitEncoderLayers(graph, network, source, network.precision);
  const { width, decoderLayers: count } = network.shape;
  const context = blockContext(graph, network.weights.tensorOf, { precision: network.precision });
  emitCross(context, x, { name: 'cross', layers: 'model.decoder.layers', count, width });
  graph.op('Identity', [x], {}, { name: 'states' });
  graph.output('states', 'float32', ['batch', 'source', width]);
  declareCross(graph, count, width);
}

/** The encoder's states of sources, `[batch, source, width]`; `stack` and a number name a layer in the weights. */
export function emitEncoderLayers(
  graph: GraphBuilder,
  network: MarianNetwork,
  { kind, tokens, positions, mask }: EncoderSource,
  precision: ProductPrecision,
  stack: string = ENCODER_STACK,
): Value {
  const { shape, weights } = network;
  const context = blockContext(graph, weights.tensorOf, { precision, folded: weights.folded });
  let x = placeTokens(graph, network, kind, tokens, positions);
  for (let number = 0; number < shape.encoderLayers; number++) {
    x = encoderLayer(context, layerOf(shape, shape.encoderFeedForward, stack, number), x, mask);
  }
  return x;
}
