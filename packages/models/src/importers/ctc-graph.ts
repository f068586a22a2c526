import type { GraphBuilder, Value } from '../onnx/graph-builder.js';
import { emitFrames, type FrameShape } from './frames.js';
import type { ProductPrecision, TensorOf } from './layers.js';

/** Sizes of a CTC student that reads a shared encoder's states. */
export interface CtcShape extends FrameShape {
  /** Frame layers that a draft runs: the head may have been trained to read an earlier layer too. */
  readonly draftFrameLayers: number;
}

/**
 * CTC student: `states [batch, source, width]`, `source_mask` int32 `[batch, source]`, `positions` and `mask` int32
 * `[batch, frames]`, `k` int64 `[1]` in, where frames = upsample * source; `best_token_ids` int32 and
 * `best_log_probs [batch, frames, k]`, `blank_log_probs [batch, frames]` out.
 *
 * `headTokenIds` maps the head's rows to token ids; its last row is the blank, reported as `blankId`.
 */
export function emitCtc(
  graph: GraphBuilder,
  tensorOf: TensorOf,
  shape: CtcShape,
  headTokenIds: readonly number[],
  blankId: number,
  precision: ProductPrecision,
): void {
  const frameLayers = precision === 'int8' ? shape.draftFrameLayers : shape.frameLayers;
  const trunk = emitFrames(graph, tensorOf, { ...shape, frameLayers }, 'ctc', precision);
  const { k, linear } = trunk;
  const rows = headTokenIds.length + 1;
  const scores = linear(trunk.x, 'head', shape.width, rows);
  const logProbs = graph.op('LogSoftmax', [scores], { axis: 2 });
  const [best, indices] = graph.ops('TopK', [logProbs, k], 2, { axis: 2 }, { name: 'best' }) as [Value, Value];
  const tokenIds = graph.constant('int32', [rows], [...headTokenIds, blankId]);
  graph.op('Gather', [tokenIds, indices], {}, { name: 'best_token_ids' });
  graph.op('Identity', [best], {}, { name: 'best_log_probs' });
  graph.op('Gather', [logProbs, graph.constant('int64', [], [rows - 1])], { axis: 2 }, { name: 'blank_log_probs' });
  graph.output('best_token_ids', 'int32', ['batch', 'frames', 'k']);
  graph.output('best_log_probs', 'float32', ['batch', 'frames', 'k']);
  graph.output('blank_log_probs', 'float32', ['batch', 'frames']);
}
