import { attend } from '../../blocks/attention.js';
import {
  type BlockContext,
  blockContext,
  type ProductPrecision,
  vectorOf,
  weightOf,
} from '../../blocks/block-context.js';
import { embeddingTable } from '../../blocks/embedding.js';
import { linear } from '../../blocks/linear.js';
import { layerNorm } from '../../blocks/norms.js';
import type { GraphBuilder, Value } from '../../graphs/graph-builder.js';
import type { TensorOf } from '../../tensors/tensor-reader.js';
import { byHeads, feedForwardBlock, preNorm, queryKeyValue } from './whisper-layer.js';
import type { WhisperShape } from './whisper-shape.js';

/**
 * Encoder: `features [batch, mels, frames]` in, two frames for each of its positions. Out for each layer of the decoder, what its
 * attention to the sound compares with and what it gives: `cross_i`, keys `[batch, heads, headWidth, positions]` at even i, divided by
 * the root of the head's width already, values `[batch, heads, positions, headWidth]` at odd i. So a step reads both as they lie.
 */
export function emitWhisperEncoder(
  graph: GraphBuilder,
  shape: WhisperShape,
  tensorOf: TensorOf,
  precision: ProductPrecision,
): void {
  const { width, mels, encoder, decoder, sourcePositions } = shape;
  const context = blockContext(graph, tensorOf, { precision });
  const features = graph.input('features', 'float32', ['batch', mels, 2 * sourcePositions]);
  const first = conv(context, features, 'model.encoder.conv1', { inputs: mels, outputs: width, stride: 1 });
  const second = conv(context, first, 'model.encoder.conv2', { inputs: width, outputs: width, stride: 2 });
  const name = 'model.encoder.embed_positions.weight';
  const positions = embeddingTable(graph, { name, table: tensorOf(name, [sourcePositions, width]) });
  let x = graph.op('Add', [graph.op('Transpose', [second], { perm: [0, 2, 1] }), positions]);
  for (let layer = 0; layer < encoder.layers; layer++) {
    const prefix = `model.encoder.layers.${layer}`;
    x = preNorm(context, x, `${prefix}.self_attn_layer_norm`, width, (seen) => {
      const [query, key, value] = queryKeyValue(context, seen, `${prefix}.self_attn`, width);
      const attended = attend(context, encoder.heads, { query, key, value });
      return linear(context, attended, `${prefix}.self_attn.out_proj`, { inputs: width, outputs: width, biased: true });
    });
    x = feedForwardBlock(context, x, prefix, { width, feedForward: encoder.feedForward });
  }
  const states = layerNorm(context, x, 'model.encoder.layer_norm', width);
  const headWidth = width / decoder.heads;
  for (let layer = 0; layer < decoder.layers; layer++) {
    const prefix = `model.decoder.layers.${layer}.encoder_attn`;
    const sizes = { inputs: width, outputs: width };
    const keys = linear(context, states, `${prefix}.k_proj`, { ...sizes, biased: false });
    const scaled = graph.op('Mul', [keys, graph.constant('float32', [], [1 / Math.sqrt(headWidth)])]);
    const values = linear(context, states, `${prefix}.v_proj`, { ...sizes, biased: true });
    const laid = [
      byHeads(context, scaled, decoder.heads, width, [0, 2, 3, 1]),
      byHeads(context, values, decoder.heads, width),
    ];
    for (const [side, value] of laid.entries()) {
      const output = `cross_${2 * layer + side}`;
      graph.op('Identity', [value], {}, { name: output });
      const dims = side === 0 ? [headWidth, sourcePositions] : [sourcePositions, headWidth];
      graph.output(output, 'float32', ['batch', decoder.heads, ...dims]);
    }
  }
}

/** `gelu(conv(x))` over three neighbours in time. */
function conv(
  context: BlockContext,
  x: Value,
  name: string,
  { inputs, outputs, stride }: { readonly inputs: number; readonly outputs: number; readonly stride: number },
): Value {
  const { graph, tensorOf } = context;
  const weight = weightOf(context, `${name}.weight`, tensorOf(`${name}.weight`, [outputs, inputs, 3]));
  const all = [x, weight, vectorOf(context, `${name}.bias`, outputs)];
  const attributes = { kernel_shape: [3], pads: [1, 1], strides: [stride] };
  return graph.op('Gelu', [graph.op('Conv', all, attributes)]);
}
