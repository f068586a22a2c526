import { ELEMENT_TYPE } from '@foretoken/models/internal';
import type { GraphBuilder, Value } from '../graphs/graph-builder.js';
import { type CanvasNetwork, emitCanvas } from './canvas-graph.js';

/**
 * Natural-log probability that each position of a canvas is deleted: `emitCanvas`' inputs, `deletions [batch, canvas]`
 * out.
 */
export function emitDeletions(graph: GraphBuilder, network: CanvasNetwork): void {
  const { x, linear } = emitCanvas(graph, network);
  const logProbs = graph.op('LogSoftmax', [linear(x, 'deletion', network.shape.width, 2)], { axis: 2 });
  const deleted = graph.op('Gather', [logProbs, graph.constant('int64', [], [1])], { axis: 2 }, { name: 'deletions' });
  graph.output(deleted, 'float32', ['batch', 'canvas']);
}

/**
 * Placeholders that each gap between neighbours gets, by the states on both sides: `emitCanvas`' inputs, `placeholders`
 * int32 `[batch, canvas - 1, 1]` out, from 0 to `max`; -1 where a score is NaN or infinite, since the best of such says nothing.
 */
export function emitPlaceholders(graph: GraphBuilder, network: CanvasNetwork, max: number): void {
  const { x, linear } = emitCanvas(graph, network);
  const { width } = network.shape;
  const index = (value: number): Value => graph.constant('int64', [1], [value]);
  const left = graph.op('Slice', [x, index(0), index(-1), index(1)]);
  const right = graph.op('Slice', [x, index(1), index(2 ** 31), index(1)]);
  const scores = linear(graph.op('Concat', [left, right], { axis: 2 }), 'placeholder', 2 * width, max + 1);
  const [, best] = graph.ops('TopK', [scores, index(1)], 2, { axis: 2 });
  // Times 0 they are 0, but for those that are no numbers.
  const noNumber = graph.op('IsNaN', [
    graph.op('ReduceSum', [graph.op('Mul', [scores, graph.constant('float32', [], [0])]), index(2)], { keepdims: 1 }),
  ]);
  const count = graph.op('Where', [noNumber, graph.constant('int64', [], [-1]), best]);
  const counts = graph.op('Cast', [count], { to: ELEMENT_TYPE.int32 }, { name: 'placeholders' });
  graph.output(counts, 'int32', ['batch', 'gaps', 1]);
}
