import type { ProductPrecision } from '../../blocks/block-context.js';
import type { TokenEmbedding } from '../../blocks/embedding.js';
import type { LayerStyle } from '../../blocks/transformer-layers.js';
import type { WeightsFolder } from '../../readers/hugging-face/weights-folder.js';
import type { TensorOf } from '../../tensors/tensor-reader.js';
import type { EncoderDecoderNetwork, Stack } from '../encoder-decoder/network.js';
import { firstTensor } from '../first-tensor.js';
import { T5_HEAD, type T5Shape } from './t5-shape.js';

/**
 * The network of a shape: pre-norm layers without biases, whose attention is not scaled and knows positions by distances alone (Raffel
 * et al., 2020).
 */
export function t5Network(
  folder: WeightsFolder,
  shape: T5Shape,
  tensorOf: TensorOf,
  suppressed: readonly number[],
  precision: ProductPrecision,
): EncoderDecoderNetwork {
  const { vocabularySize, width, heads, headWidth, feedForward, tied, scaled, distances } = shape;
  const table = (...names: string[]): TokenEmbedding => {
    const name = firstTensor(folder, names);
    return { name, table: tensorOf(name, [vocabularySize, width]), quantised: precision !== 'float32' };
  };
  const embedding = table('shared.weight', 'encoder.embed_tokens.weight', 'decoder.embed_tokens.weight');
  const stack = (side: 'encoder' | 'decoder', layers: number): Stack => ({
    layers,
    prefix: `${side}.block`,
    shape: { width, heads, headWidth, feedForward },
    style: styleOf(shape, side),
    embedding,
    // The first layer has the table of all.
    relative: {
      ...distances,
      name: `${side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`,
      heads,
      bothWays: side === 'encoder',
    },
    norms: { after: `${side}.final_layer_norm` },
  });
  return {
    vocabularySize,
    width,
    encoder: stack('encoder', shape.encoderLayers),
    decoder: stack('decoder', shape.decoderLayers),
    tensorOf,
    head: { embedding: tied ? embedding : table(T5_HEAD), scale: scaled ? width ** -0.5 : undefined },
    suppressed,
    precision,
  };
}

function styleOf({ activation, gated, epsilon }: T5Shape, side: 'encoder' | 'decoder'): LayerStyle {
  const last = side === 'encoder' ? 'layer.1' : 'layer.2';
  const layer = (name: string): string => `${last}.DenseReluDense.${name}`;
  return {
    norm: 'pre',
    normaliser: { kind: 'rms', epsilon },
    biased: false,
    activation,
    scale: 1,
    names: {
      selfAttention: 'layer.0.SelfAttention',
      selfAttentionNorm: 'layer.0.layer_norm',
      crossAttention: 'layer.1.EncDecAttention',
      crossAttentionNorm: 'layer.1.layer_norm',
      projections: { query: 'q', key: 'k', value: 'v', out: 'o' },
      feedForward: gated
        ? { gate: layer('wi_0'), up: layer('wi_1'), down: layer('wo') }
        : { up: layer('wi'), down: layer('wo') },
      feedForwardNorm: `${last}.layer_norm`,
    },
  };
}
