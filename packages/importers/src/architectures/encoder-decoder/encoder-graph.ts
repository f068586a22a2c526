import { headsWidth } from '../../blocks/attention.js';
import type { ProductPrecision } from '../../blocks/block-context.js';
import { declareCross, emitCross } from '../../blocks/cross-projection.js';
import { maskedRelativeBias } from '../../blocks/relative-positions.js';
import { encoderLayer } from '../../blocks/transformer-layers.js';
import type { GraphBuilder, Value } from '../../graphs/graph-builder.js';
import {
  closeStack,
  contextOf,
  declareTokens,
  type EncoderDecoderNetwork,
  layerOf,
  placeTokens,
  type TokenInput,
} from './network.js';

/** A batch of sources: token ids or embeddings, `positions` and `mask` int32 `[batch, source]`. */
export interface EncoderSource {
  readonly kind: TokenInput;
  readonly tokens: Value;
  readonly positions: Value;
  readonly mask: Value;
}

/**
 * Encoder: `token_ids` int32 `[batch, source]` or `embedded [batch, source, width]`, `positions`, `mask` int32 `[batch, source]`
 * in; `states [batch, source, width]` and `cross [2 * layers, batch, source, kept]` out, the latter holding each decoder
 * layer's cross-attention keys (even) and values (odd).
 */
export function emitEncoder(graph: GraphBuilder, network: EncoderDecoderNetwork, kind: TokenInput): void {
  const dims = ['batch', 'source'];
  const source = {
    kind,
    tokens: declareTokens(graph, network, kind, dims),
    positions: graph.input('positions', 'int32', dims),
    mask: graph.input('mask', 'int32', dims),
  };
  const x = emitEncoderLayers(graph, network, source);
  const { width, decoder } = network;
  const { layers: count, prefix, style } = decoder;
  const kept = headsWidth(decoder.shape);
  emitCross(contextOf(graph, { ...network, folded: undefined }), x, {
    name: 'cross',
    layers: prefix,
    count,
    width,
    kept,
    style,
  });
  graph.op('Identity', [x], {}, { name: 'states' });
  graph.output('states', 'float32', ['batch', 'source', width]);
  declareCross(graph, count, kept);
}

/** The encoder's states of sources, `[batch, source, width]`. */
export function emitEncoderLayers(
  graph: GraphBuilder,
  network: EncoderDecoderNetwork,
  { kind, tokens, positions, mask }: EncoderSource,
  precision?: ProductPrecision,
): Value {
  const { encoder } = network;
  const context = contextOf(graph, network, precision);
  const bias = encoder.relative && maskedRelativeBias(context, encoder.relative, positions, mask);
  let x = placeTokens(context, encoder, kind, tokens, positions);
  for (let number = 0; number < encoder.layers; number++) {
    x = encoderLayer(context, layerOf(encoder, number), x, mask, bias);
  }
  return closeStack(context, encoder, x);
}
