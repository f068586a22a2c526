import type { GraphBuilder, Value } from '../onnx/graph-builder.js';
import { ELEMENT_TYPE } from '../onnx/proto.js';
import { headScores } from './ctc-graph.js';
import { emitFrames, type FrameShape } from './frames.js';
import type { TensorOf } from './layers.js';

/** The CTC student whose best path a network on canvases reads. */
export interface DraftStudent {
  readonly shape: FrameShape;
  /** Rows of its head, the blank's last. */
  readonly labels: number;
  readonly tensorOf: TensorOf;
}

/** The best path of each source. */
export interface BestPath {
  /** Inputs of the graph: `[batch, source, width]` and int32 `[batch, source]`. */
  readonly states: Value;
  readonly sourceMask: Value;
  /** `[batch, frames, width]`: row j is the frame where the path's token j begins; zeros after the last one's. */
  readonly tokens: Value;
  /** How many tokens there are, int32 `[batch, 1]`. */
  readonly length: Value;
}

/** The student's best path, under the names of its own graph, so that the weights are stored once: its inputs, but no `k`. */
export function emitBestPath(graph: GraphBuilder, { shape, labels, tensorOf }: DraftStudent): BestPath {
  const { states, sourceMask, positions, mask, x } = emitFrames(graph, tensorOf, shape, 'ctc', 'float32');
  const begins = emitBegins(graph, headScores(graph, tensorOf, shape.width, labels, x), mask, labels - 1);
  const overFrames = graph.constant('int64', [], [1]);
  const said = graph.op('CumSum', [begins, overFrames]);
  // From 1, and 0 where no token begins.
  const number = graph.op('Unsqueeze', [graph.op('Mul', [begins, said]), graph.constant('int64', [1], [1])]);
  const wanted = graph.op('Add', [positions, graph.constant('int32', [], [1])]);
  const chosen = graph.op('Equal', [graph.op('Unsqueeze', [wanted, graph.constant('int64', [1], [2])]), number]);
  return {
    states,
    sourceMask,
    tokens: graph.op('MatMul', [graph.op('Cast', [chosen], { to: ELEMENT_TYPE.float32 }), x]),
    length: graph.op('ReduceSum', [begins, graph.constant('int64', [1], [1])], { keepdims: 1 }),
  };
}

/** Int32 `[batch, frames]`: 1 where a token of the best path begins, by `scores [batch, frames, labels]`. */
function emitBegins(graph: GraphBuilder, scores: Value, mask: Value, blank: number): Value {
  const [, best] = graph.ops('TopK', [scores, graph.constant('int64', [1], [1])], 2, { axis: 2 }) as [Value, Value];
  const label = graph.op('Squeeze', [best, graph.constant('int64', [1], [2])]);
  const blankLabel = graph.constant('int64', [], [blank]);
  // The label of the frame before; what comes before the first counts as a blank.
  const pads = graph.constant('int64', [4], [0, 1, 0, -1]);
  const previous = graph.op('Pad', [label, pads, blankLabel], { mode: 'constant' });
  const same = graph.op('Or', [graph.op('Equal', [label, previous]), graph.op('Equal', [label, blankLabel])]);
  const visible = graph.op('Cast', [mask], { to: ELEMENT_TYPE.bool });
  return graph.op('Cast', [graph.op('And', [graph.op('Not', [same]), visible])], { to: ELEMENT_TYPE.int32 });
}
