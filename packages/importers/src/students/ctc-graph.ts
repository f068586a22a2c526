import type { ProductPrecision } from '../blocks/block-context.js';
import { CONTRIB, type GraphBuilder, type Value } from '../graphs/graph-builder.js';
import type { TensorOf } from '../tensors/tensor-reader.js';
import { emitFrames, type FrameShape, type FrameSource, type Frames } from './frames.js';

/** Sizes of a CTC student that reads a shared encoder's states. */
export interface CtcShape extends FrameShape {
  /** Layers of the encoder whose states it reads; 0: what the first one reads. */
  readonly encoderLayers: number;
  /** Frame layers that a draft runs: the head may have been trained to read an earlier layer too. */
  readonly draftFrameLayers: number;
}

/** The head of a CTC student; its last row is the blank. */
export interface CtcHead {
  /** Token id of each row, `blankId` last. */
  readonly tokenIds: readonly number[];
  readonly vocabularySize: number;
  /** The student that its weights are kept under. */
  readonly owner: string;
}

/** A CTC student, whose weights but the head's are kept under `name`. */
export interface CtcStudent {
  readonly name: string;
  readonly shape: CtcShape;
  readonly head: CtcHead;
  readonly tensorOf: TensorOf;
}

/** How a CTC student's graph computes. */
export interface CtcGraphKind {
  /** `int8` ends at the draft layer and quantises products. */
  readonly precision: ProductPrecision;
  /** Score only the tokens of one more input, `shortlist` int32 `[tokens]`, distinct, the blank's id last. */
  readonly shortlist: boolean;
}

/**
 * CTC student: `states [batch, source, width]`, `source_mask` int32 `[batch, source]`, `positions` and `mask` int32
 * `[batch, frames]`, `k` int64 `[1]` in, where frames = upsample * source; `best_token_ids` int32 and
 * `best_log_probs [batch, frames, k]`, `blank_log_probs [batch, frames]` out. A `source` takes the place of the first two.
 */
export function emitCtc(
  graph: GraphBuilder,
  { name, shape, head, tensorOf }: CtcStudent,
  { precision, shortlist }: CtcGraphKind,
  source?: FrameSource,
): void {
  const frameLayers = precision === 'int8' ? shape.draftFrameLayers : shape.frameLayers;
  const trunk = emitFrames(graph, tensorOf, { ...shape, frameLayers }, name, precision, source);
  const k = graph.input('k', 'int64', [1]);
  const { scores, tokenIds } = shortlist
    ? shortlistScores(graph, tensorOf, shape.width, head, trunk.x)
    : allScores(graph, tensorOf, shape.width, head, trunk, precision);
  const logProbs = graph.op('LogSoftmax', [scores], { axis: 2 });
  const [best, indices] = graph.ops('TopK', [logProbs, k], 2, { axis: 2 }, { name: 'best' });
  graph.op('Gather', [tokenIds, indices], {}, { name: 'best_token_ids' });
  graph.op('Identity', [best], {}, { name: 'best_log_probs' });
  graph.op('Gather', [logProbs, graph.constant('int64', [], [-1])], { axis: 2 }, { name: 'blank_log_probs' });
  graph.output('best_token_ids', 'int32', ['batch', 'frames', 'k']);
  graph.output('best_log_probs', 'float32', ['batch', 'frames', 'k']);
  graph.output('blank_log_probs', 'float32', ['batch', 'frames']);
}

/** Scores `[batch, frames, labels]`, the blank last, and the token id of each label. */
interface Scores {
  readonly scores: Value;
  readonly tokenIds: Value;
}

function allScores(
  graph: GraphBuilder,
  tensorOf: TensorOf,
  width: number,
  head: CtcHead,
  { x, linear }: Frames,
  precision: ProductPrecision,
): Scores {
  const { tokenIds, owner } = head;
  const rows = tokenIds.length;
  const scores =
    precision === 'int8' ? linear(x, 'head', width, rows, owner) : headScores(graph, tensorOf, width, head, x);
  return { scores, tokenIds: graph.constant('int32', [rows], tokenIds) };
}

/** Scores `[batch, frames, labels]` of all rows of a CTC student's head. */
export function headScores(graph: GraphBuilder, tensorOf: TensorOf, width: number, head: CtcHead, x: Value): Value {
  return productWithRows(graph, x, ...headRows(graph, tensorOf, width, head));
}

/** The shortlist's rows of the head, picked from fp32 weights: so few that quantising them would not pay. */
function shortlistScores(graph: GraphBuilder, tensorOf: TensorOf, width: number, head: CtcHead, x: Value): Scores {
  const { tokenIds, vocabularySize } = head;
  const shortlist = graph.input('shortlist', 'int32', ['tokens']);
  const rowOf = new Array<number>(vocabularySize).fill(0);
  for (const [row, tokenId] of tokenIds.entries()) rowOf[tokenId] = row;
  const rows = graph.op('Gather', [graph.constant('int32', [vocabularySize], rowOf), shortlist]);
  const [weight, bias] = headRows(graph, tensorOf, width, head);
  const picked = (of: Value): Value => graph.op('Gather', [of, rows]);
  return { scores: productWithRows(graph, x, picked(weight), picked(bias)), tokenIds: shortlist };
}

/** Weight `[labels, width]`, one row a label, and bias `[labels]` of the head. */
function headRows(
  graph: GraphBuilder,
  tensorOf: TensorOf,
  width: number,
  { tokenIds, owner }: CtcHead,
): [Value, Value] {
  const weight = tensorOf('head.weight', [tokenIds.length, width]);
  const bias = tensorOf('head.bias', [tokenIds.length]);
  return [
    graph.weight(`${owner}.head.rows`, weight.dims, weight.values),
    graph.weight(`${owner}.head.bias`, bias.dims, bias.values),
  ];
}

function productWithRows(graph: GraphBuilder, x: Value, weight: Value, bias: Value): Value {
  return graph.op('Add', [graph.op('FusedMatMul', [x, weight], { transB: 1 }, { domain: CONTRIB }), bias]);
}
