import type { ProductPrecision } from '../../blocks/block-context.js';
import { embedTokens, type TokenEmbedding } from '../../blocks/embedding.js';
import { sinusoidalPositions } from '../../blocks/positions.js';
import { type Layer, POST_NORM } from '../../blocks/transformer-layers.js';
import type { GraphBuilder, Value } from '../../graphs/graph-builder.js';
import type { TensorOf } from '../../tensors/tensor-reader.js';
import type { FoldedBiases } from './fold-biases.js';
import type { MarianShape } from './marian-shape.js';

/** A Marian model: its sizes, and its weights as graphs hold them. */
export interface MarianNetwork {
  readonly shape: MarianShape;
  readonly weights: FoldedBiases;
  /** One table for source, target and head. */
  readonly embedding: TokenEmbedding;
  /** Tokens that are never to be output. */
  readonly suppressed: readonly number[];
  /** How the products of encoder and decoder are computed. */
  readonly precision: ProductPrecision;
}

/** The embedding of a checkpoint. */
export function marianEmbedding(tensorOf: TensorOf, shape: MarianShape): TokenEmbedding {
  const { vocabularySize, width, scaleEmbedding } = shape;
  const name = 'model.shared.weight';
  return { name, table: tensorOf(name, [vocabularySize, width]), scale: scaleEmbedding ? Math.sqrt(width) : undefined };
}

/** How a graph is given tokens: as ids, which it embeds itself, or as embeddings of another graph, which has the table. */
export type TokenInput = 'ids' | 'embedded';

/** Declares the graph's tokens `[..dims]`: `token_ids` int32, or `embedded [..dims, width]`. */
export function declareTokens(
  graph: GraphBuilder,
  { shape }: MarianNetwork,
  kind: TokenInput,
  dims: readonly string[],
): Value {
  if (kind === 'ids') return graph.input('token_ids', 'int32', dims);
  return graph.input('embedded', 'float32', [...dims, shape.width]);
}

/** Declared tokens at their positions, `scale * embedding + position`, `[batch, time, width]`. */
export function placeTokens(
  graph: GraphBuilder,
  { shape, embedding }: MarianNetwork,
  kind: TokenInput,
  tokens: Value,
  positions: Value,
): Value {
  const embedded = kind === 'ids' ? embedTokens(graph, embedding, tokens) : tokens;
  return graph.op('Add', [embedded, sinusoidalPositions(graph, shape.maxPositions, shape.width, positions)]);
}

/** Layer `number` of a stack; `stack` and a number name it in the weights. */
export function layerOf({ width, heads }: MarianShape, feedForward: number, stack: string, number: number): Layer {
  return { shape: { width, heads, feedForward }, style: POST_NORM, prefix: `${stack}.${number}` };
}
