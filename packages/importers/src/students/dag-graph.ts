import { HIDDEN } from '@foretoken/core/runtime';
import { ELEMENT_TYPE } from '@foretoken/models/internal';
import type { GraphBuilder, Value } from '../graphs/graph-builder.js';
import type { TensorOf } from '../tensors/tensor-reader.js';
import { emitFrames, type FrameShape, type Frames } from './frames.js';

/** Sizes of a Directed Acyclic Transformer that reads a shared encoder's states; its frames are the vertices. */
export interface DagShape extends FrameShape {
  /** Heads of the attention that scores the links between vertices. */
  readonly linkHeads: number;
}

/** A DAG student, whose weights are kept under `dag`. */
export interface DagStudent {
  readonly shape: DagShape;
  readonly startTokenId: number;
  /** Token ids of the head's rows. */
  readonly headTokenIds: readonly number[];
  readonly tensorOf: TensorOf;
}

/**
 * Directed Acyclic Transformer (Huang et al., 2022): the inputs of `emitFrames` and `k` int64 `[1]` in;
 * `best_token_ids` int32 and `best_log_probs [batch, frames, k]`, `transitions [batch, frames, frames]` out, the latter
 * natural-log probabilities of the links from row to column, `-Infinity` where there is none.
 */
export function emitDag(graph: GraphBuilder, { tensorOf, shape, headTokenIds }: DagStudent): void {
  const frames = emitFrames(graph, tensorOf, shape, 'dag', 'float32');
  const k = graph.input('k', 'int64', [1]);
  const rows = headTokenIds.length;
  const logProbs = graph.op('LogSoftmax', [frames.linear(frames.x, 'head', shape.width, rows)], { axis: 2 });
  const [best, indices] = graph.ops('TopK', [logProbs, k], 2, { axis: 2 }, { name: 'best' });
  graph.op('Gather', [graph.constant('int32', [rows], headTokenIds), indices], {}, { name: 'best_token_ids' });
  graph.op('Identity', [best], {}, { name: 'best_log_probs' });
  graph.output('best_token_ids', 'int32', ['batch', 'frames', 'k']);
  graph.output('best_log_probs', 'float32', ['batch', 'frames', 'k']);
  graph.output(emitLinks(graph, shape, frames), 'float32', ['batch', 'frames', 'frames']);
}

/** A mixture over heads of attention to later vertices, in logarithms (Huang et al., 2022, section 3.2). */
function emitLinks(graph: GraphBuilder, shape: DagShape, { x, position, positions, mask, linear }: Frames): Value {
  const { width, linkHeads } = shape;
  const axes = (...values: number[]): Value => graph.constant('int64', [values.length], values);
  const scalar = (value: number): Value => graph.constant('float32', [], [value]);
  const features = graph.op('Concat', [x, position], { axis: 2 });
  const byHead = (name: string, perm: readonly number[]): Value => {
    const projected = linear(features, name, 2 * width, width);
    return graph.op('Transpose', [graph.op('Reshape', [projected, axes(0, 0, linkHeads, -1)])], { perm });
  };
  const scale = scalar(1 / Math.sqrt(width / linkHeads));
  const query = graph.op('Mul', [byHead('links.query', [0, 2, 1, 3]), scale]);
  const scores = graph.op('MatMul', [query, byHead('links.key', [0, 2, 3, 1])]);
  const later = graph.op('Less', [
    graph.op('Unsqueeze', [positions, axes(2)]),
    graph.op('Unsqueeze', [positions, axes(1)]),
  ]);
  const valid = graph.op('Cast', [graph.op('Unsqueeze', [mask, axes(1)])], { to: ELEMENT_TYPE.bool });
  const linked = graph.op('And', [later, valid]);
  // Finite, since a vertex without any link, the last one, would make a softmax of nothing.
  const bias = graph.op('Where', [graph.op('Unsqueeze', [linked, axes(1)]), scalar(0), scalar(HIDDEN)]);
  const attention = graph.op('LogSoftmax', [graph.op('Add', [scores, bias])], { axis: 3 });
  const gate = graph.op('LogSoftmax', [linear(features, 'links.gate', 2 * width, linkHeads)], { axis: 2 });
  const weights = graph.op('Unsqueeze', [graph.op('Transpose', [gate], { perm: [0, 2, 1] }), axes(3)]);
  const mixture = graph.op('ReduceLogSumExp', [graph.op('Add', [attention, weights]), axes(1)], { keepdims: 0 });
  return graph.op('Where', [linked, mixture, scalar(Number.NEGATIVE_INFINITY)], {}, { name: 'transitions' });
}
