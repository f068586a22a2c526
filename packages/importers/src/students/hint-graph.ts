import { ELEMENT_TYPE } from '@foretoken/models/internal';
import { embedTokens, type TokenEmbedding } from '../blocks/embedding.js';
import type { GraphBuilder, Value } from '../graphs/graph-builder.js';
import { type CtcStudent, headScores } from './ctc-graph.js';
import { emitFrames } from './frames.js';

/** The best path of each source, or the one given as `hints_token_ids` int32 `[batch, frames]`, -1 where no token begins. */
export type HintKind = 'best' | 'given';

/** A hint of each source. */
export interface Hint {
  /** Inputs of the graph: `[batch, source, width]` and int32 `[batch, source]`. */
  readonly states: Value;
  readonly sourceMask: Value;
  /**
   * `[batch, frames, 2 * width]`: row j has the frame where the hint's token j begins, and the token's embedding; zeros after
   * the last one's.
   */
  readonly tokens: Value;
  /** How many tokens there are, int32 `[batch, 1]`. */
  readonly length: Value;
}

/** The hint of a CTC student, under the names of its own graph, so that weights are stored once: its inputs, but no `k`. */
export function emitHints(
  graph: GraphBuilder,
  { name, shape, head, tensorOf }: CtcStudent,
  embedding: TokenEmbedding,
  kind: HintKind,
): Hint {
  const { states, sourceMask, mask, positions, x } = emitFrames(graph, tensorOf, shape, name, 'float32');
  const { begins, tokenIds } =
    kind === 'best'
      ? emitBestPath(graph, headScores(graph, tensorOf, shape.width, head, x), mask, head.tokenIds)
      : emitGivenPath(graph, mask);
  const overFrames = graph.constant('int64', [], [1]);
  const said = graph.op('CumSum', [begins, overFrames]);
  // From 1, and 0 where no token begins.
  const number = graph.op('Unsqueeze', [graph.op('Mul', [begins, said]), graph.constant('int64', [1], [1])]);
  const wanted = graph.op('Add', [positions, graph.constant('int32', [], [1])]);
  const chosen = graph.op('Equal', [graph.op('Unsqueeze', [wanted, graph.constant('int64', [1], [2])]), number]);
  const embedded = embedTokens(graph, embedding, tokenIds);
  const features = graph.op('Concat', [x, embedded], { axis: 2 });
  return {
    states,
    sourceMask,
    tokens: graph.op('MatMul', [graph.op('Cast', [chosen], { to: ELEMENT_TYPE.float32 }), features]),
    length: graph.op('ReduceSum', [begins, graph.constant('int64', [1], [1])], { keepdims: 1 }),
  };
}

/** Int32 `[batch, frames]` each: 1 where a token begins, and which one; a token of the vocabulary where none does. */
interface Path {
  readonly begins: Value;
  readonly tokenIds: Value;
}

function emitGivenPath(graph: GraphBuilder, mask: Value): Path {
  const given = graph.input('hints_token_ids', 'int32', ['batch', 'frames']);
  const zero = graph.constant('int32', [], [0]);
  return {
    begins: beginsWhere(graph, graph.op('Not', [graph.op('Less', [given, zero])]), mask),
    tokenIds: graph.op('Max', [given, zero]),
  };
}

/** By `scores [batch, frames, labels]`; `labelIds` are the token ids of the labels, the blank's last. */
function emitBestPath(graph: GraphBuilder, scores: Value, mask: Value, labelIds: readonly number[]): Path {
  const [, best] = graph.ops('TopK', [scores, graph.constant('int64', [1], [1])], 2, { axis: 2 });
  const label = graph.op('Squeeze', [best, graph.constant('int64', [1], [2])]);
  const labels = labelIds.length;
  const blankLabel = graph.constant('int64', [], [labels - 1]);
  // The label of the frame before; what comes before the first counts as a blank.
  const pads = graph.constant('int64', [4], [0, 1, 0, -1]);
  const previous = graph.op('Pad', [label, pads, blankLabel], { mode: 'constant' });
  const same = graph.op('Or', [graph.op('Equal', [label, previous]), graph.op('Equal', [label, blankLabel])]);
  return {
    begins: beginsWhere(graph, graph.op('Not', [same]), mask),
    tokenIds: graph.op('Gather', [graph.constant('int32', [labels], labelIds), label]),
  };
}

function beginsWhere(graph: GraphBuilder, condition: Value, mask: Value): Value {
  const visible = graph.op('Cast', [mask], { to: ELEMENT_TYPE.bool });
  return graph.op('Cast', [graph.op('And', [condition, visible])], { to: ELEMENT_TYPE.int32 });
}
