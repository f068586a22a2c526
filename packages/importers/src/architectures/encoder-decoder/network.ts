import { type BlockContext, blockContext, type ProductPrecision } from '../../blocks/block-context.js';
import { embedTokens, type TokenEmbedding } from '../../blocks/embedding.js';
import { LAYER_NORM, normalise } from '../../blocks/norms.js';
import type { RelativePositions } from '../../blocks/relative-positions.js';
import type { SsruNames } from '../../blocks/ssru.js';
import type { Layer, LayerShape, LayerStyle } from '../../blocks/transformer-layers.js';
import type { GraphBuilder, Value } from '../../graphs/graph-builder.js';
import type { TensorOf } from '../../tensors/tensor-reader.js';

/** One side of an encoder-decoder: embedded tokens at their places, then layers. */
export interface Stack {
  readonly layers: number;
  /** What its layers are called in the weights, before their number. */
  readonly prefix: string;
  readonly shape: LayerShape;
  readonly style: LayerStyle;
  readonly embedding: TokenEmbedding;
  /** Vectors of positions int32 `[batch, time]`, which are added to the embeddings. */
  readonly places?: ((graph: GraphBuilder, positions: Value) => Value) | undefined;
  /** What attention to the side itself adds for the distance of tokens. */
  readonly relative?: RelativePositions | undefined;
  /** Names of the norms before the first layer and after the last, where there are such. */
  readonly norms: { readonly before?: string | undefined; readonly after?: string | undefined };
}

/** The matrix that scores states, and what they are multiplied with first. */
export interface OutputMatrix {
  readonly embedding: TokenEmbedding;
  readonly scale?: number | undefined;
  /** The tensor `[1, vocabulary]` that is added to the scores. */
  readonly bias?: string | undefined;
}

/** An encoder and a decoder: their sizes, their weights, and what their layers are. */
export interface EncoderDecoderNetwork {
  /** Tokens of outputs. */
  readonly vocabularySize: number;
  readonly width: number;
  readonly encoder: Stack;
  readonly decoder: Stack;
  /** What the recurrent layers are called that the decoder has in the place of attention to itself, where it has such. */
  readonly recurrent?: SsruNames | undefined;
  readonly tensorOf: TensorOf;
  /** A token whose position is -1: the last row of the positions' tables, zeros. */
  readonly unplacedTokenId?: number | undefined;
  /** Biases that other weights already hold, by name. */
  readonly folded?: ReadonlySet<string> | undefined;
  readonly head: OutputMatrix;
  /** Tokens that are never to be output. */
  readonly suppressed: readonly number[];
  /** How the products of encoder and decoder are computed. */
  readonly precision: ProductPrecision;
}

/** How a graph is given tokens: as ids, which it embeds itself, or as embeddings of another graph, which has the table. */
export type TokenInput = 'ids' | 'embedded';

/** A context for the blocks of a network in one graph. */
export function contextOf(
  graph: GraphBuilder,
  { tensorOf, folded, precision }: EncoderDecoderNetwork,
  ofProducts: ProductPrecision = precision,
): BlockContext {
  return blockContext(graph, tensorOf, { precision: ofProducts, folded });
}

/** Declares the graph's tokens `[..dims]`: `token_ids` int32, or `embedded [..dims, width]`. */
export function declareTokens(
  graph: GraphBuilder,
  { width }: EncoderDecoderNetwork,
  kind: TokenInput,
  dims: readonly string[],
): Value {
  if (kind === 'ids') return graph.input('token_ids', 'int32', dims);
  return graph.input('embedded', 'float32', [...dims, width]);
}

/** Declared tokens at their positions, what a stack's first layer reads, `[batch, time, width]`. */
export function placeTokens(
  context: BlockContext,
  stack: Stack,
  kind: TokenInput,
  tokens: Value,
  positions: Value,
): Value {
  const { graph } = context;
  const { embedding, places, norms } = stack;
  const embedded = kind === 'ids' ? embedTokens(graph, embedding, tokens) : tokens;
  const placed = places === undefined ? embedded : graph.op('Add', [embedded, places(graph, positions)]);
  return normed(context, stack, norms.before, placed);
}

/** States of a stack's last layer as they are read. */
export function closeStack(context: BlockContext, stack: Stack, states: Value): Value {
  return normed(context, stack, stack.norms.after, states);
}

/** Layer `number` of a stack. */
export function layerOf({ shape, style, prefix }: Stack, number: number): Layer {
  return { shape, style, prefix: `${prefix}.${number}` };
}

function normed(context: BlockContext, { shape, style }: Stack, name: string | undefined, x: Value): Value {
  return name === undefined ? x : normalise(context, x, name, shape.width, style.normaliser ?? LAYER_NORM);
}
