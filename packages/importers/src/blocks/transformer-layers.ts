import type { Value } from '../graphs/graph-builder.js';
import {
  type AttentionNames,
  type AttentionShape,
  crossAttention,
  type SourceReading,
  selfAttention,
} from './attention.js';
import type { BlockContext } from './block-context.js';
import { type FeedForwardShape, feedForward } from './feed-forward.js';
import { layerNorm, type NormPlace, residual } from './norms.js';

/** Sizes of a Transformer layer. */
export interface LayerShape {
  readonly width: number;
  readonly heads: number;
  readonly feedForward: number;
}

/** What the layers of a network have in common: where they normalise, whether linear layers add biases, what parts are called. */
export interface LayerStyle {
  readonly norm: NormPlace;
  readonly biased: boolean;
  readonly names: LayerNames;
}

/** What follows a layer's name in the names of its parts. */
export interface LayerNames {
  readonly selfAttention: string;
  readonly selfAttentionNorm: string;
  readonly crossAttention: string;
  readonly crossAttentionNorm: string;
  /** Of both attention blocks. */
  readonly projections: AttentionNames;
  readonly feedForward: FeedForwardShape['names'];
  readonly feedForwardNorm: string;
}

/** Normalised after each block, with biases; its parts are called as fairseq calls them. */
export const POST_NORM: LayerStyle = {
  norm: 'post',
  biased: true,
  names: {
    selfAttention: 'self_attn',
    selfAttentionNorm: 'self_attn_layer_norm',
    crossAttention: 'encoder_attn',
    crossAttentionNorm: 'encoder_attn_layer_norm',
    projections: { query: 'q_proj', key: 'k_proj', value: 'v_proj', out: 'out_proj' },
    feedForward: { up: 'fc1', down: 'fc2' },
    feedForwardNorm: 'final_layer_norm',
  },
};

/** One Transformer layer; `prefix` names it in the checkpoint. */
export interface Layer {
  readonly shape: LayerShape;
  readonly style: LayerStyle;
  readonly prefix: string;
}

/** A whole self-attention layer that sees every unmasked position; `mask [batch, time]` int32, 0 hides a position. */
export function encoderLayer(context: BlockContext, layer: Layer, x: Value, mask: Value): Value {
  return feedForwardBlock(context, layer, selfAttentionBlock(context, layer, x, mask));
}

/** `encoderLayer` that also reads a source. */
export function readingLayer(context: BlockContext, layer: Layer, x: Value, mask: Value, source: SourceReading): Value {
  const seen = selfAttentionBlock(context, layer, x, mask);
  return feedForwardBlock(context, layer, crossAttentionBlock(context, layer, seen, source));
}

function selfAttentionBlock(context: BlockContext, layer: Layer, x: Value, mask: Value): Value {
  return ownAttentionBlock(context, layer, x, (seen, shape, prefix) =>
    selfAttention(context, shape, seen, mask, prefix),
  );
}

/** The self-attention block of a layer, with an attention of one's own. */
export function ownAttentionBlock(
  context: BlockContext,
  layer: Layer,
  x: Value,
  attention: (x: Value, shape: AttentionShape, prefix: string) => Value,
): Value {
  const { names } = layer.style;
  const prefix = `${layer.prefix}.${names.selfAttention}`;
  return block(context, layer, x, names.selfAttentionNorm, (seen) => attention(seen, attentionShape(layer), prefix));
}

/** The block of a layer that attends to a source. */
export function crossAttentionBlock(context: BlockContext, layer: Layer, x: Value, source: SourceReading): Value {
  const { names } = layer.style;
  const prefix = `${layer.prefix}.${names.crossAttention}`;
  return block(context, layer, x, names.crossAttentionNorm, (seen) =>
    crossAttention(context, attentionShape(layer), seen, source, prefix),
  );
}

/** The feed-forward block of a layer. */
export function feedForwardBlock(context: BlockContext, layer: Layer, x: Value): Value {
  const { shape, style, prefix } = layer;
  const own = { width: shape.width, feedForward: shape.feedForward, biased: style.biased };
  return block(context, layer, x, style.names.feedForwardNorm, (seen) =>
    feedForward(context, { ...own, names: style.names.feedForward }, seen, prefix),
  );
}

function attentionShape({ shape: { width, heads }, style: { biased, names } }: Layer): AttentionShape {
  return { width, heads, biased, names: names.projections };
}

function block(
  context: BlockContext,
  { shape, style, prefix }: Layer,
  x: Value,
  norm: string,
  sublayer: (x: Value) => Value,
): Value {
  return residual(context, style.norm, x, (sum) => layerNorm(context, sum, `${prefix}.${norm}`, shape.width), sublayer);
}
