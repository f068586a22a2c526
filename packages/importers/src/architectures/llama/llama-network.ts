import type { BlockContext, ProductPrecision } from '../../blocks/block-context.js';
import { embedTokens, type TokenEmbedding } from '../../blocks/embedding.js';
import { gatedFeedForward } from '../../blocks/gated-feed-forward.js';
import { type CachedAttention, type GroupedShape, groupedAttention } from '../../blocks/grouped-attention.js';
import { rmsNorm } from '../../blocks/norms.js';
import { rotaryTables } from '../../blocks/rotary.js';
import type { Value } from '../../graphs/graph-builder.js';
import type { TensorOf } from '../../tensors/tensor-reader.js';
import type { CausalInputs, CausalNetwork, CausalStates } from '../causal/causal-step.js';
import type { LlamaShape } from './llama-shape.js';

/** The network of a shape: pre-norm layers of grouped attention with rotary positions, and gated feed-forward blocks. */
export function llamaNetwork(
  shape: LlamaShape,
  tensorOf: TensorOf,
  suppressed: readonly number[],
  precision: ProductPrecision,
): CausalNetwork {
  const { vocabularySize, width, layers, keyValueHeads, headWidth, tied, epsilon } = shape;
  const quantised = precision !== 'float32';
  const matrix = (name: string): TokenEmbedding => ({
    name,
    table: tensorOf(name, [vocabularySize, width]),
    quantised,
  });
  const embedding = matrix('model.embed_tokens.weight');
  return {
    vocabularySize,
    width,
    layers,
    keyValueWidth: keyValueHeads * headWidth,
    tensorOf,
    head: tied ? embedding : matrix('lm_head.weight'),
    suppressed,
    precision,
    emitLayers: (context, inputs) => emitLayers(context, shape, embedding, inputs),
    emitNorm: (context, states) => rmsNorm(context, states, 'model.norm', width, epsilon),
  };
}

function emitLayers(
  context: BlockContext,
  shape: LlamaShape,
  embedding: TokenEmbedding,
  { tokenIds, positions, bias, past }: CausalInputs,
): CausalStates {
  const { graph } = context;
  const rotary = rotaryTables(graph, positions, shape.rotary);
  let states = embedTokens(graph, embedding, tokenIds);
  const fresh = past.map((cached, layer) => {
    const emitted = emitLayer(context, shape, states, `model.layers.${layer}`, { past: cached, bias, rotary });
    states = emitted.states;
    return emitted;
  });
  return { states, fresh };
}

function emitLayer(context: BlockContext, shape: LlamaShape, x: Value, prefix: string, cached: CachedAttention) {
  const { graph } = context;
  const { width, feedForward, biased, epsilon, activation } = shape;
  const norm = (value: Value, name: string): Value => rmsNorm(context, value, `${prefix}.${name}`, width, epsilon);
  const attended = groupedAttention(
    context,
    attentionShape(shape),
    norm(x, 'input_layernorm'),
    `${prefix}.self_attn`,
    cached,
  );
  const seen = graph.op('Add', [x, attended.states]);
  const gated = { width, feedForward, biased: biased.feedForward, activation, names: GATED };
  const added = gatedFeedForward(context, gated, norm(seen, 'post_attention_layernorm'), `${prefix}.mlp`);
  return { ...attended, states: graph.op('Add', [seen, added]) };
}

const GATED = { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' };

function attentionShape(shape: LlamaShape): GroupedShape {
  const { width, heads, keyValueHeads, headWidth, biased, normedHeads, epsilon } = shape;
  return {
    width,
    heads,
    keyValueHeads,
    headWidth,
    biased,
    norm: normedHeads ? { query: 'q_norm', key: 'k_norm', epsilon } : undefined,
    names: { query: 'q_proj', key: 'k_proj', value: 'v_proj', out: 'o_proj' },
  };
}
