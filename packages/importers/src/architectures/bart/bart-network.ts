import type { ProductPrecision } from '../../blocks/block-context.js';
import type { TokenEmbedding } from '../../blocks/embedding.js';
import { learnedPositions, sinusoidalPositions, sinusoidsOrNone } from '../../blocks/positions.js';
import { type LayerStyle, POST_NORM } from '../../blocks/transformer-layers.js';
import { unsupportedConfig } from '../../readers/hugging-face/config-fields.js';
import type { WeightsFolder } from '../../readers/hugging-face/weights-folder.js';
import type { TensorOf } from '../../tensors/tensor-reader.js';
import type { EncoderDecoderNetwork, Stack } from '../encoder-decoder/network.js';
import { firstTensor } from '../first-tensor.js';
import type { BartShape } from './bart-shape.js';

/** The network of a shape: layers that normalise before or after, over learned or sinusoidal positions. */
export function bartNetwork(
  folder: WeightsFolder,
  shape: BartShape,
  tensorOf: TensorOf,
  suppressed: readonly number[],
  precision: ProductPrecision,
): EncoderDecoderNetwork {
  const { vocabularySize, sourceVocabularySize = vocabularySize, width, norms, ownTables, tied, outputBias } = shape;
  const { tensors } = folder;
  // Folders of the layers alone leave out the prefix of the model with a head.
  const prefix =
    tensors.has('model.encoder.layers.0.fc1.weight') || !tensors.has('encoder.layers.0.fc1.weight') ? 'model.' : '';
  const table = (names: readonly string[], rows: number): TokenEmbedding => {
    const name = firstTensor(folder, names);
    return { name, table: tensorOf(name, [rows, width]), quantised: precision !== 'float32' };
  };
  const sideTable = (side: 'encoder' | 'decoder'): string => `${prefix}${side}.embed_tokens.weight`;
  const shared = [
    `${prefix}shared.weight`,
    sideTable('encoder'),
    sideTable('decoder'),
    ...(tied ? ['lm_head.weight'] : []),
  ];
  const scale = shape.scaled ? Math.sqrt(width) : undefined;
  // Where nothing is tied transformers 5 stores a table for each side, beside one for both that it does not use.
  const apart = ownTables || (!tied && tensors.has(sideTable('encoder')));
  if (apart && shape.positionKind === 'shifted-sinusoids') {
    unsupportedConfig(folder, 'tie_word_embeddings', 'true, or one table for both sides');
  }
  const ofOutputs = [...(apart ? [sideTable('decoder')] : []), ...(ownTables ? [] : shared)];
  const outputs = table(ownTables && tied ? [...ofOutputs, 'lm_head.weight'] : ofOutputs, vocabularySize);
  const sources = apart ? table([sideTable('encoder')], sourceVocabularySize) : outputs;
  const style: LayerStyle = { ...POST_NORM, norm: shape.norm, activation: shape.activation };
  const stack = (side: 'encoder' | 'decoder', embedding: TokenEmbedding): Stack => {
    const { layers, heads, feedForward } = shape[side];
    return {
      layers,
      prefix: `${prefix}${side}.layers`,
      shape: { width, heads, feedForward },
      style,
      embedding: { ...embedding, scale },
      places: placesOf(shape, tensorOf, `${prefix}${side}.embed_positions.weight`),
      norms: {
        before: norms.embedding ? `${prefix}${side}.layernorm_embedding` : undefined,
        after: norms.final ? `${prefix}${side}.layer_norm` : undefined,
      },
    };
  };
  const bias = 'final_logits_bias';
  const biased = outputBias === 'always' || (outputBias === 'maybe' && tensors.has(bias));
  return {
    vocabularySize,
    width,
    encoder: stack('encoder', sources),
    decoder: stack('decoder', outputs),
    tensorOf,
    head: { embedding: tied ? outputs : table(['lm_head.weight'], vocabularySize), bias: biased ? bias : undefined },
    suppressed,
    // Padding has no position in the models whose positions begin behind its number.
    unplacedTokenId: shape.positionKind === 'shifted-sinusoids' ? shape.firstPosition - 1 : undefined,
    precision,
  };
}

function placesOf(
  { positions, positionKind, firstPosition, width }: BartShape,
  tensorOf: TensorOf,
  name: string,
): Stack['places'] {
  if (positionKind === 'sinusoids') return (graph, at) => sinusoidalPositions(graph, positions, width, at);
  if (positionKind === 'shifted-sinusoids') {
    return (graph, at) => sinusoidsOrNone(graph, positions, width, firstPosition, at);
  }
  const table = { name, table: tensorOf(name, [positions + firstPosition, width]) };
  return (graph, at) => learnedPositions(graph, table, firstPosition, at);
}
