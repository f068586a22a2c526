import type { GraphBuilder, Value } from '../onnx/graph-builder.js';
import { LayerEmitter, type ProductPrecision, type TensorOf } from './layers.js';
import { sinusoids, transpose } from './matrices.js';

/** Sizes of a CTC student that reads a shared encoder's states. */
export interface CtcShape {
  readonly width: number;
  readonly heads: number;
  readonly feedForward: number;
  /** Layers over source positions, before the upsampling. */
  readonly sourceLayers: number;
  /** Layers over frames, after it. */
  readonly frameLayers: number;
  /** Frame layers that a draft runs: the head may have been trained to read an earlier layer too. */
  readonly draftFrameLayers: number;
  readonly upsample: number;
  readonly maxPositions: number;
}

/**
 * CTC student: `states [batch, source, width]`, `source_mask` int32 `[batch, source]`, `positions` and `mask` int32
 * `[batch, frames]`, `k` int64 `[1]` in, where frames = upsample * source; `best_token_ids` int32 and `best_log_probs [batch, frames, k]`, `blank_log_probs [batch,
 * frames]` out.
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
  const { width, upsample } = shape;
  const layers = new LayerEmitter(graph, (name, dims) => tensorOf(name.replace(/^ctc\./, ''), dims), shape, precision);
  const states = graph.input('states', 'float32', ['batch', 'source', width]);
  const sourceMask = graph.input('source_mask', 'int32', ['batch', 'source']);
  const positions = graph.input('positions', 'int32', ['batch', 'frames']);
  const mask = graph.input('mask', 'int32', ['batch', 'frames']);
  const k = graph.input('k', 'int64', [1]);
  const weight = (name: string, dims: readonly number[]): Value => {
    const dense = tensorOf(name, dims);
    return graph.weight(`ctc.${name}`, dense.dims, dense.values);
  };
  const up = transpose(tensorOf('upsample.weight', [upsample * width, width]));
  let x = states;
  for (let layer = 0; layer < shape.sourceLayers; layer++) {
    x = layers.encoderLayer(x, sourceMask, `ctc.source_layers.${layer}`);
  }
  const wide = layers.product(x, 'ctc.upsample.weight', up, weight('upsample.bias', [upsample * width]));
  const frames = graph.op('Reshape', [wide, graph.constant('int64', [3], [0, -1, width])]);
  const table = sinusoids(shape.maxPositions, width);
  const position = graph.op('Gather', [graph.weight('ctc.position_table', table.dims, table.values, true), positions]);
  x = graph.op('Add', [frames, position]);
  const frameLayers = precision === 'int8' ? shape.draftFrameLayers : shape.frameLayers;
  for (let layer = 0; layer < frameLayers; layer++) {
    x = layers.encoderLayer(x, mask, `ctc.frame_layers.${layer}`);
  }
  const rows = headTokenIds.length + 1;
  const head = transpose(tensorOf('head.weight', [rows, width]));
  const scores = layers.product(x, 'ctc.head.weight', head, weight('head.bias', [rows]));
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
