import { HIDDEN } from '@foretoken/core/runtime';
import { ELEMENT_TYPE } from '@foretoken/models/internal';
import { type BlockContext, blockContext } from '../../blocks/block-context.js';
import { embedTokens } from '../../blocks/embedding.js';
import { linear } from '../../blocks/linear.js';
import { recurrentLayer } from '../../blocks/recurrent-layer.js';
import { attentionKeys, type SourceAttentionShape, sourceAttention } from '../../blocks/source-attention.js';
import type { GraphBuilder, Value } from '../../graphs/graph-builder.js';
import type { TensorOf } from '../../tensors/tensor-reader.js';
import type { RecurrentNetworkShape } from './recurrent-shape.js';

const axes = (graph: GraphBuilder, ...values: readonly number[]): Value =>
  graph.constant('int64', [values.length], values);

function embedded(
  context: BlockContext,
  shape: RecurrentNetworkShape,
  name: string,
  size: number,
  tokens: Value,
): Value {
  const table = context.tensorOf(`${name}.weight`, [size, shape.embedding]);
  return embedTokens(context.graph, { name: `${name}.weight`, table }, tokens);
}

function attentionShape({ attention, layer }: RecurrentNetworkShape): SourceAttentionShape | undefined {
  return attention && { score: attention.score, width: attention.width, query: layer.width, memory: layer.width };
}

/**
 * `token_ids` and `mask` int32 `[rows, time]` to the states before an output, `hidden` and `memory` `[layers, rows, width]`; with
 * attention also `source_states`, `source_keys` `[rows, time, ..]` and `source_bias` `[rows, time]`.
 */
export function encoderGraph(graph: GraphBuilder, shape: RecurrentNetworkShape, tensorOf: TensorOf): void {
  const context = blockContext(graph, tensorOf);
  const { encoder, layer, layers } = shape;
  if (encoder === undefined) return;
  const { directions, width } = encoder;
  const tokens = graph.input('token_ids', 'int32', ['rows', 'time']);
  const mask = graph.input('mask', 'int32', ['rows', 'time']);
  const lengths = graph.op('ReduceSum', [mask, axes(graph, 1)], { keepdims: 0 });
  let x = graph.op('Transpose', [embedded(context, shape, 'encoder.embedding', encoder.vocabularySize, tokens)], {
    perm: [1, 0, 2],
  });
  const last: { readonly hidden: Value; readonly memory?: Value | undefined }[] = [];
  for (let index = 0; index < layers; index++) {
    const suffixes = [`_l${index}`, `_l${index}_reverse`].slice(0, directions);
    const inputs = index === 0 ? shape.embedding : layer.width;
    const { states, ...ended } = recurrentLayer(context, { ...layer, width }, 'encoder.rnn', suffixes, {
      x,
      inputs,
      lengths,
    });
    last.push(ended);
    // The directions side by side: [time, rows, directions * width].
    const beside = graph.op('Transpose', [states], { perm: [0, 2, 1, 3] });
    x = graph.op('Reshape', [beside, axes(graph, 0, 0, directions * width)]);
  }
  const stack = (values: readonly Value[], name: string): void => {
    const beside = values.map((value) => {
      const rows = graph.op('Transpose', [value], { perm: [1, 0, 2] });
      return graph.op('Reshape', [rows, axes(graph, 1, -1, directions * width)]);
    });
    graph.op('Concat', beside, { axis: 0 }, { name });
    graph.output(name, 'float32', [layers, 'rows', layer.width]);
  };
  stack(
    last.map(({ hidden }) => hidden),
    'hidden',
  );
  if (layer.cell === 'lstm')
    stack(
      last.flatMap(({ memory }) => (memory === undefined ? [] : [memory])),
      'memory',
    );
  const attention = attentionShape(shape);
  if (attention === undefined) return;
  const memory = graph.op('Transpose', [x], { perm: [1, 0, 2] }, { name: 'source_states' });
  graph.output('source_states', 'float32', ['rows', 'time', attention.memory]);
  const padding = graph.op('Sub', [graph.constant('int32', [], [1]), mask]);
  const floats = graph.op('Cast', [padding], { to: ELEMENT_TYPE.float32 });
  graph.op('Mul', [floats, graph.constant('float32', [], [HIDDEN])], {}, { name: 'source_bias' });
  graph.output('source_bias', 'float32', ['rows', 'time']);
  if (attention.score !== 'additive') return;
  graph.op('Identity', [attentionKeys(context, attention, memory)], {}, { name: 'source_keys' });
  graph.output('source_keys', 'float32', ['rows', 'time', attention.width]);
}

/** A token and the states before it, `[layers, lanes, width]`, to the states after it and `logits` `[lanes, vocabulary]`. */
export function stepGraph(graph: GraphBuilder, shape: RecurrentNetworkShape, tensorOf: TensorOf): void {
  const context = blockContext(graph, tensorOf);
  const { layer, layers, attention: told } = shape;
  const tokens = graph.input('token_ids', 'int32', ['lanes']);
  const states = (name: string): readonly Value[] => {
    const all = graph.input(name, 'float32', [layers, 'lanes', layer.width]);
    return layers === 1 ? [all] : graph.ops('Split', [all], layers, { axis: 0, num_outputs: layers });
  };
  const hidden = states('hidden');
  const memory = layer.cell === 'lstm' ? states('memory') : [];
  const attention = attentionShape(shape);
  const find = (state: Value): Value => {
    if (attention === undefined) return state;
    const values = graph.input('source_states', 'float32', ['lanes', 'time', attention.memory]);
    const bias = graph.input('source_bias', 'float32', ['lanes', 'time']);
    const keys =
      attention.score === 'additive'
        ? graph.input('source_keys', 'float32', ['lanes', 'time', attention.width])
        : values;
    return sourceAttention(context, attention, state, keys, values, bias);
  };
  const top = (value: Value): Value => graph.op('Squeeze', [value, axes(graph, 0)]);
  let read = embedded(context, shape, 'decoder.embedding', shape.vocabularySize, tokens);
  let inputs = shape.embedding;
  if (told?.place === 'before') {
    read = graph.op('Concat', [read, find(top(hidden[layers - 1]))], { axis: 1 });
    inputs += layer.width;
  }
  let x = graph.op('Unsqueeze', [read, axes(graph, 0)]);
  const after: { readonly hidden: Value; readonly memory?: Value | undefined }[] = [];
  for (let index = 0; index < layers; index++) {
    const layerInputs = { x, inputs, hidden: hidden[index], memory: memory[index] };
    const next = recurrentLayer(context, layer, 'decoder.rnn', [`_l${index}`], layerInputs);
    after.push(next);
    x = next.hidden;
    inputs = layer.width;
  }
  const keep = (values: readonly Value[], name: string): void => {
    graph.op('Concat', values, { axis: 0 }, { name });
    graph.output(name, 'float32', [layers, 'lanes', layer.width]);
  };
  keep(
    after.map((next) => next.hidden),
    'next_hidden',
  );
  if (layer.cell === 'lstm')
    keep(
      after.flatMap((next) => (next.memory === undefined ? [] : [next.memory])),
      'next_memory',
    );
  let state = top(x);
  if (told?.place === 'after') {
    const both = graph.op('Concat', [state, find(state)], { axis: 1 });
    const combine = { inputs: 2 * layer.width, outputs: layer.width, biased: true };
    state = graph.op('Tanh', [linear(context, both, 'attention.combine', combine)]);
  }
  const head = { inputs: layer.width, outputs: shape.vocabularySize, biased: true };
  graph.op('Identity', [linear(context, state, 'decoder.out', head)], {}, { name: 'logits' });
  graph.output('logits', 'float32', ['lanes', shape.vocabularySize]);
}
