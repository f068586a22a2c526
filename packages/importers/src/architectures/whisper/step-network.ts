import { attend } from '../../blocks/attention.js';
import type { BlockContext, ProductPrecision } from '../../blocks/block-context.js';
import { embeddingTable, embedTokens, type TokenEmbedding } from '../../blocks/embedding.js';
import { linear } from '../../blocks/linear.js';
import { layerNorm } from '../../blocks/norms.js';
import type { GraphBuilder, Value } from '../../graphs/graph-builder.js';
import type { TensorOf } from '../../tensors/tensor-reader.js';
import type { CausalInputs, CausalNetwork, CausalStates } from '../causal/causal-step.js';
import { byHeads, feedForwardBlock, preNorm, queryKeyValue } from './whisper-layer.js';
import type { WhisperShape } from './whisper-shape.js';

/** Tokens that are never output, and those that no output begins with. */
export interface SuppressedTokens {
  readonly always: readonly number[];
  readonly first: readonly number[];
}

/**
 * The decoder as a network whose step `emitCausalStep` emits, with further inputs: `cross_i` as the encoder gives them, and `begin`
 * int32 `[batch, 1]`, the position of the last token before the output of each row.
 */
export function stepNetwork(
  shape: WhisperShape,
  tensorOf: TensorOf,
  suppressed: SuppressedTokens,
  precision: ProductPrecision,
): CausalNetwork {
  const { vocabularySize, width, decoder, targetPositions } = shape;
  const table = (name: string, rows: number): TokenEmbedding => ({ name, table: tensorOf(name, [rows, width]) });
  const tokens = table('model.decoder.embed_tokens.weight', vocabularySize);
  const embedding = { ...tokens, quantised: precision !== 'float32' };
  const places = table('model.decoder.embed_positions.weight', targetPositions);
  return {
    vocabularySize,
    width,
    layers: decoder.layers,
    keyValueWidth: width,
    tensorOf,
    head: embedding,
    suppressed: suppressed.always,
    suppressedFirst: suppressed.first,
    precision,
    emitLayers: (context, inputs) => {
      const { graph } = context;
      const placed = graph.op('Gather', [embeddingTable(graph, places), inputs.positions]);
      const x = graph.op('Add', [embedTokens(graph, embedding, inputs.tokenIds), placed]);
      return emitLayers(context, shape, x, inputs);
    },
    emitNorm: (context, states) => layerNorm(context, states, 'model.decoder.layer_norm', width),
  };
}

function emitLayers(context: BlockContext, shape: WhisperShape, x: Value, { past, bias }: CausalInputs): CausalStates {
  const { graph } = context;
  const { width, decoder } = shape;
  const cross = declareCross(graph, shape);
  let states = x;
  const add = (added: Value): void => {
    states = graph.op('Add', [states, added]);
  };
  const out = { inputs: width, outputs: width, biased: true };
  const fresh = past.map((cached, layer) => {
    const prefix = `model.decoder.layers.${layer}`;
    const seen = layerNorm(context, states, `${prefix}.self_attn_layer_norm`, width);
    const [query, keys, values] = queryKeyValue(context, seen, `${prefix}.self_attn`, width);
    const key = graph.op('Concat', [cached.keys, keys], { axis: 1 });
    const value = graph.op('Concat', [cached.values, values], { axis: 1 });
    const attended = attend(context, decoder.heads, { query, key, value, mask: bias });
    add(linear(context, attended, `${prefix}.self_attn.out_proj`, out));
    states = preNorm(context, states, `${prefix}.encoder_attn_layer_norm`, width, (asking) =>
      attendToSound(context, shape, asking, cross[2 * layer], cross[2 * layer + 1], `${prefix}.encoder_attn`),
    );
    states = feedForwardBlock(context, states, prefix, { width, feedForward: decoder.feedForward });
    return { keys, values };
  });
  return { states, fresh };
}

function declareCross(graph: GraphBuilder, { width, decoder, sourcePositions }: WhisperShape): readonly Value[] {
  const headWidth = width / decoder.heads;
  return Array.from({ length: 2 * decoder.layers }, (_, part) =>
    graph.input(`cross_${part}`, 'float32', [
      'batch',
      decoder.heads,
      ...(part % 2 === 0 ? [headWidth, sourcePositions] : [sourcePositions, headWidth]),
    ]),
  );
}

/**
 * Attention to keys and values that lie by heads. Products and a softmax: an operator of attention would copy all of them into its own
 * layout at each step, which for 1,500 positions takes longer than the step.
 */
function attendToSound(
  context: BlockContext,
  { width, decoder: { heads } }: WhisperShape,
  x: Value,
  keys: Value,
  values: Value,
  prefix: string,
): Value {
  const { graph } = context;
  const query = linear(context, x, `${prefix}.q_proj`, { inputs: width, outputs: width, biased: true });
  const scores = graph.op('MatMul', [byHeads(context, query, heads, width), keys]);
  const attended = graph.op('MatMul', [graph.op('Softmax', [scores], { axis: -1 }), values]);
  const together = graph.op('Transpose', [attended], { perm: [0, 2, 1, 3] });
  const joined = graph.op('Reshape', [together, graph.constant('int64', [3], [0, 0, width])]);
  return linear(context, joined, `${prefix}.out_proj`, { inputs: width, outputs: width, biased: true });
}
