import type { Value } from '../graphs/graph-builder.js';
import type { Activation } from './activation.js';
import {
  type AttentionNames,
  type AttentionShape,
  crossAttention,
  type SourceReading,
  selfAttention,
} from './attention.js';
import type { BlockContext } from './block-context.js';
import { type FeedForwardShape, feedForward } from './feed-forward.js';
import { gatedFeedForward } from './gated-feed-forward.js';
import { LAYER_NORM, type Normaliser, type NormPlace, normalise, residual } from './norms.js';

/** Sizes of a Transformer layer. */
export interface LayerShape {
  readonly width: number;
  readonly heads: number;
  readonly feedForward: number;
  /** Numbers of each head; default: the width, divided by the heads. */
  readonly headWidth?: number | undefined;
}

/** What the layers of a network have in common: where they normalise and how, whether linear layers add biases, what parts are called. */
export interface LayerStyle {
  readonly norm: NormPlace;
  /** Default: by mean and variance. */
  readonly normaliser?: Normaliser | undefined;
  readonly biased: boolean;
  /** Of feed-forward blocks; default SiLU. */
  readonly activation?: Activation | undefined;
  /** What products of queries and keys are multiplied with; default 1, divided by the root of a head's width. */
  readonly scale?: number | undefined;
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
  /** With a `gate`, which is multiplied with what goes up. */
  readonly feedForward: FeedForwardShape['names'] & { readonly gate?: string | undefined };
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

/**
 * A whole self-attention layer that sees every unmasked position; `mask [batch, time]` int32, 0 hides a position. A `bias [batch,
 * heads, time, time]` is added to attention's scores, and hides positions itself.
 */
export function encoderLayer(context: BlockContext, layer: Layer, x: Value, mask: Value, bias?: Value): Value {
  return feedForwardBlock(context, layer, selfAttentionBlock(context, layer, x, mask, bias));
}

/** `encoderLayer` that also reads a source. */
export function readingLayer(context: BlockContext, layer: Layer, x: Value, mask: Value, source: SourceReading): Value {
  const seen = selfAttentionBlock(context, layer, x, mask);
  return feedForwardBlock(context, layer, crossAttentionBlock(context, layer, seen, source));
}

function selfAttentionBlock(context: BlockContext, layer: Layer, x: Value, mask: Value, bias?: Value): Value {
  return ownAttentionBlock(context, layer, x, (seen, shape, prefix) =>
    selfAttention(context, shape, seen, mask, prefix, bias),
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
  const { biased, activation, names } = style;
  const { gate, ...others } = names.feedForward;
  const own = { width: shape.width, feedForward: shape.feedForward, biased, activation };
  return block(context, layer, x, names.feedForwardNorm, (seen) =>
    gate === undefined
      ? feedForward(context, { ...own, names: others }, seen, prefix)
      : gatedFeedForward(context, { ...own, names: { ...others, gate } }, seen, prefix),
  );
}

function attentionShape({ shape, style: { biased, scale, names } }: Layer): AttentionShape {
  const { width, heads, headWidth } = shape;
  return { width, heads, headWidth, scale, biased, names: names.projections };
}

function block(
  context: BlockContext,
  { shape, style, prefix }: Layer,
  x: Value,
  norm: string,
  sublayer: (x: Value) => Value,
): Value {
  const normed = (sum: Value): Value =>
    normalise(context, sum, `${prefix}.${norm}`, shape.width, style.normaliser ?? LAYER_NORM);
  return residual(context, style.norm, x, normed, sublayer);
}
