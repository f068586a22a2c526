import type { Value } from '../graphs/graph-builder.js';
import type { BlockContext } from './block-context.js';
import { linear } from './linear.js';

/**
 * How a recurrent decoder weighs what the encoder gave: the product of state and memory, with a matrix in between (Luong et al., 2015),
 * or a layer over their sum (Bahdanau et al., 2015).
 */
export type AttentionScore = 'dot' | 'general' | 'additive';

export interface SourceAttentionShape {
  readonly score: AttentionScore;
  /** Widths of the state that asks, of the memory, and of the layer over their sum. */
  readonly query: number;
  readonly memory: number;
  readonly width: number;
}

/** What the memory is compared by, `[batch, source, ..]`: it is the same at each step. */
export function attentionKeys(
  context: BlockContext,
  { score, memory, width }: SourceAttentionShape,
  states: Value,
): Value {
  if (score !== 'additive') return states;
  return linear(context, states, 'attention.key', { inputs: memory, outputs: width, biased: true });
}

/**
 * The mean of the memory `[batch, source, memory]` by its weights for a state `[batch, query]`: `[batch, memory]`. `bias [batch, source]`
 * hides padding.
 */
export function sourceAttention(
  context: BlockContext,
  { score, query, memory, width }: SourceAttentionShape,
  state: Value,
  keys: Value,
  values: Value,
  bias: Value,
): Value {
  const { graph } = context;
  const axis = (at: number): Value => graph.constant('int64', [1], [at]);
  let scores: Value;
  if (score === 'additive') {
    const asked = linear(context, state, 'attention.query', { inputs: query, outputs: width, biased: true });
    const sum = graph.op('Tanh', [graph.op('Add', [graph.op('Unsqueeze', [asked, axis(1)]), keys])]);
    scores = linear(context, sum, 'attention.score', { inputs: width, outputs: 1, biased: false });
  } else {
    const asked =
      score === 'dot'
        ? state
        : linear(context, state, 'attention.query', { inputs: query, outputs: memory, biased: false });
    scores = graph.op('MatMul', [keys, graph.op('Unsqueeze', [asked, axis(2)])]);
  }
  const seen = graph.op('Add', [graph.op('Squeeze', [scores, axis(2)]), bias]);
  const weights = graph.op('Unsqueeze', [graph.op('Softmax', [seen], { axis: 1 }), axis(1)]);
  return graph.op('Squeeze', [graph.op('MatMul', [weights, values]), axis(1)]);
}
