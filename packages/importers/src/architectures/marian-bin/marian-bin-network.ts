import type { ProductPrecision } from '../../blocks/block-context.js';
import type { TokenEmbedding } from '../../blocks/embedding.js';
import { shiftedSinusoids } from '../../blocks/positions.js';
import type { LayerNames, LayerStyle } from '../../blocks/transformer-layers.js';
import { type DeferredDense, reshape, stackRows, transpose, zeros } from '../../tensors/matrices.js';
import type { TensorOf } from '../../tensors/tensor-reader.js';
import type { EncoderDecoderNetwork, Stack } from '../encoder-decoder/network.js';
import type { MarianBinShape } from './marian-bin-shape.js';

/** Positions that graphs have sinusoids for; the models have no limit of their own. */
export const POSITIONS = 1024;
const EPSILON = 1e-9;

const names = (own: string, ownNorm: string): LayerNames => ({
  selfAttention: own,
  selfAttentionNorm: ownNorm,
  crossAttention: 'context',
  crossAttentionNorm: 'context_Wo_ln',
  projections: { query: 'Wq', key: 'Wk', value: 'Wv', out: 'Wo' },
  feedForward: { up: 'ffn_W1', down: 'ffn_W2' },
  feedForwardNorm: 'ffn_ffn_ln',
});

/** The network of a shape; `weights` gives tensors by Marian's names, matrices `[in, out]` and vectors `[1, size]`. */
export function marianBinNetwork(
  shape: MarianBinShape,
  weights: TensorOf,
  suppressed: readonly number[],
  precision: ProductPrecision,
): EncoderDecoderNetwork {
  const { width, heads, sources, outputs, sharedTable, oneVocabulary, ownHead, activation } = shape;
  const quantised = precision !== 'float32';
  // A first step reads no token: the start token is one more, which embeds as nothing.
  const withStart = (rows: DeferredDense): DeferredDense => stackRows([rows, zeros([1, width])]);
  const outputTable = sharedTable ? 'Wemb' : 'decoder_Wemb';
  const said: TokenEmbedding = {
    name: outputTable,
    table: withStart(weights(outputTable, [outputs, width])),
    quantised,
  };
  const sourceTable = weights(sharedTable ? outputTable : 'encoder_Wemb', [sources, width]);
  const read: TokenEmbedding = sharedTable
    ? said
    : { name: 'encoder_Wemb', table: oneVocabulary ? withStart(sourceTable) : sourceTable, quantised };
  const headName = 'decoder_ff_logit_out_W';
  const head: TokenEmbedding = ownHead
    ? { name: headName, table: withStart(transpose(weights(headName, [width, outputs]))), quantised }
    : said;
  const style = { norm: 'post', normaliser: { kind: 'layer', epsilon: EPSILON }, biased: true, activation } as const;
  const stack = (side: 'encoder' | 'decoder', embedding: TokenEmbedding, own: LayerNames): Stack => {
    const { layers, feedForward } = shape[side];
    const layerStyle: LayerStyle = { ...style, names: own };
    return {
      layers,
      prefix: side,
      shape: { width, heads, feedForward },
      style: layerStyle,
      embedding: { ...embedding, scale: Math.sqrt(width) },
      places: (graph, positions) => shiftedSinusoids(graph, POSITIONS, width, 0, positions),
      norms: {},
    };
  };
  return {
    vocabularySize: outputs + 1,
    width,
    encoder: stack('encoder', read, names('self', 'self_Wo_ln')),
    decoder: stack('decoder', said, names('rnn', 'rnn_ffn_ln')),
    recurrent: { input: 'W', forget: 'Wf', out: shape.projected ? 'Wo' : undefined },
    tensorOf: byMarianNames(weights, outputs),
    head: { embedding: head, bias: OUTPUT_BIAS },
    suppressed,
    precision,
  };
}

const OUTPUT_BIAS = 'decoder_ff_logit_out_b';
const PART = /^(encoder|decoder)\.(\d+)\.(.+)\.(weight|bias)$/;

/** Tensors by the names that blocks give them, `decoder.0.context.Wq.weight`, and in their shapes. */
function byMarianNames(weights: TensorOf, outputs: number): TensorOf {
  return (name, dims) => {
    if (name === OUTPUT_BIAS)
      return reshape(stackRows([reshape(weights(name, [1, outputs]), [outputs]), zeros([1])]), dims);
    const [, side, number, part, kind] = PART.exec(name) ?? [];
    const layer = `${side}_l${Number(number) + 1}_${part.replaceAll('.', '_')}`;
    const vector = (of: string): DeferredDense => reshape(weights(of, [1, ...dims]), dims);
    if (part.endsWith('_ln')) return vector(`${layer}_${kind === 'weight' ? 'scale' : 'bias'}`);
    if (kind === 'bias') return vector(layer.replace(/W([^W]*)$/, 'b$1'));
    const [rows, columns] = dims;
    return transpose(weights(layer, [columns, rows]));
  };
}
