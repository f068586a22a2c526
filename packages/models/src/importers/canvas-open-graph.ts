import type { GraphBuilder, Value } from '../onnx/graph-builder.js';
import { ELEMENT_TYPE } from '../onnx/proto.js';
import { type CanvasNetwork, emitterOf, linearOf } from './canvas-graph.js';
import { declareCross, emitCross } from './cross-projection.js';

/**
 * What a network on canvases reads of its sources, once for all rounds: `states [batch, source, width]` in,
 * `cross [2 * layers, batch, source, width]` out, keys at even and values at odd indices. With `lengthClasses` also
 * `source_mask` int32 `[batch, source]` in and `length_logits [batch, classes]` out.
 */
export function emitOpen(graph: GraphBuilder, network: CanvasNetwork, lengthClasses: number): void {
  const { name, shape, tensorOf } = network;
  const { width, layers: count } = shape;
  const states = graph.input('states', 'float32', ['batch', 'source', width]);
  emitCross(graph, tensorOf, states, { name: `${name}.cross`, layers: 'layers', count, width });
  declareCross(graph, count, width);
  if (lengthClasses === 0) return;
  const mask = graph.input('source_mask', 'int32', ['batch', 'source']);
  emitLengths(graph, network, states, mask, lengthClasses);
}

/**
 * The length head: `length_logits [batch, classes]` from the mean and the maximum of `states` over the source's own
 * positions, `mask` int32 `[batch, source]`.
 */
function emitLengths(graph: GraphBuilder, network: CanvasNetwork, states: Value, mask: Value, classes: number): void {
  const { width } = network.shape;
  const linear = linearOf(graph, network, emitterOf(graph, network));
  const last = graph.constant('int64', [1], [2]);
  const overTime = graph.constant('int64', [1], [1]);
  const visible = graph.op('Unsqueeze', [graph.op('Cast', [mask], { to: ELEMENT_TYPE.bool }), last]);
  const counted = graph.op('Cast', [visible], { to: ELEMENT_TYPE.float32 });
  const sum = graph.op('ReduceSum', [graph.op('Mul', [states, counted]), overTime], { keepdims: 0 });
  const mean = graph.op('Div', [sum, graph.op('ReduceSum', [counted, overTime], { keepdims: 0 })]);
  const hidden = graph.constant('float32', [], [-3e38]);
  const most = graph.op('ReduceMax', [graph.op('Where', [visible, states, hidden]), overTime], { keepdims: 0 });
  const pooled = graph.op('Concat', [mean, most], { axis: 1 });
  const layer = linear(pooled, 'length.hidden', 2 * width, width);
  const active = graph.op('Mul', [layer, graph.op('Sigmoid', [layer])]);
  const logits = linear(active, 'length.out', width, classes);
  graph.op('Identity', [logits], {}, { name: 'length_logits' });
  graph.output('length_logits', 'float32', ['batch', classes]);
}
