import type { ProductPrecision } from '../../blocks/block-context.js';
import type { TokenEmbedding } from '../../blocks/embedding.js';
import { sinusoidalPositions } from '../../blocks/positions.js';
import { POST_NORM } from '../../blocks/transformer-layers.js';
import type { WeightsFolder } from '../../readers/hugging-face/weights-folder.js';
import type { TensorOf } from '../../tensors/tensor-reader.js';
import type { EncoderDecoderNetwork, Stack } from '../encoder-decoder/network.js';
import { firstTensor } from '../first-tensor.js';
import { type FoldedBiases, stackName } from './fold-biases.js';
import type { MarianShape } from './marian-shape.js';

/** The names that the one table for source, target and head may be stored under. */
const TABLES = ['shared', 'encoder.embed_tokens', 'decoder.embed_tokens'].map((name) => `model.${name}.weight`);

/** The embedding of a checkpoint: one table for source, target and head. */
export function marianEmbedding(folder: WeightsFolder, tensorOf: TensorOf, shape: MarianShape): TokenEmbedding {
  const { vocabularySize, width, scaleEmbedding } = shape;
  const name = firstTensor(folder, [...TABLES, 'lm_head.weight']);
  return { name, table: tensorOf(name, [vocabularySize, width]), scale: scaleEmbedding ? Math.sqrt(width) : undefined };
}

/** A Marian model: post-norm layers over sinusoidal positions (Junczys-Dowmunt et al., 2018). */
export function marianNetwork(
  shape: MarianShape,
  { tensorOf, folded }: FoldedBiases,
  embedding: TokenEmbedding,
  suppressed: readonly number[],
  precision: ProductPrecision,
): EncoderDecoderNetwork {
  const { vocabularySize, width, heads, maxPositions } = shape;
  const stack = (side: 'encoder' | 'decoder', layers: number, feedForward: number): Stack => ({
    layers,
    prefix: stackName(side),
    shape: { width, heads, feedForward },
    style: POST_NORM,
    embedding,
    places: (graph, positions) => sinusoidalPositions(graph, maxPositions, width, positions),
    norms: {},
  });
  return {
    vocabularySize,
    width,
    encoder: stack('encoder', shape.encoderLayers, shape.encoderFeedForward),
    decoder: stack('decoder', shape.decoderLayers, shape.decoderFeedForward),
    tensorOf,
    folded,
    head: { embedding, bias: 'final_logits_bias' },
    suppressed,
    precision,
  };
}
