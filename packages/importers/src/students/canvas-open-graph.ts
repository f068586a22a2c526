import { ELEMENT_TYPE } from '@foretoken/models/internal';
import { blockContext } from '../blocks/block-context.js';
import { declareCross, emitCross } from '../blocks/cross-projection.js';
import { positionTable } from '../blocks/positions.js';
import { POST_NORM } from '../blocks/transformer-layers.js';
import type { GraphBuilder, Value } from '../graphs/graph-builder.js';
import { transpose } from '../tensors/matrices.js';
import { type CanvasNetwork, contextOf, linearOf } from './canvas-graph.js';
import type { CtcStudent } from './ctc-graph.js';
import { emitHints, type HintKind } from './hint-graph.js';

/** A length head: class c means c - offset tokens more than the source has. */
export interface Lengths {
  readonly classes: number;
  readonly offset: number;
}

/** The student whose hints are read, and how. */
export interface HintReader {
  readonly student: CtcStudent;
  readonly kind: HintKind;
}

/**
 * What a network on canvases reads of its sources, once for all rounds: `states [batch, source, width]` in,
 * `cross [2 * layers, batch, source, width]` out, keys at even and values at odd indices. With `lengths` also
 * `source_mask` int32 `[batch, source]` in and `length_logits [batch, classes]` out.
 *
 * With `hints` all inputs of `emitHints` are in, and `hints [batch, frames, width]` out: row j is for where the hint's token j
 * lies, and those after its last are zeros; its length is `hints_length [batch, 1]`, as fp32.
 */
export function emitOpen(
  graph: GraphBuilder,
  network: CanvasNetwork,
  lengths: Lengths | undefined,
  hint: HintReader | undefined,
): void {
  const { name, shape, tensorOf } = network;
  const { width, layers: count } = shape;
  const read = hint && emitHints(graph, hint.student, network.embedding, hint.kind);
  const states = read?.states ?? graph.input('states', 'float32', ['batch', 'source', width]);
  emitCross(blockContext(graph, tensorOf), states, {
    name: `${name}.cross`,
    layers: 'layers',
    count,
    width,
    style: POST_NORM,
  });
  declareCross(graph, count, width);
  if (read !== undefined) {
    const { dims, values } = transpose(tensorOf('hints.weight', [width, 2 * width]));
    const weight = graph.weight(`${name}.hints.weight`, dims, values);
    const projected = graph.op('MatMul', [read.tokens, weight], {}, { name: 'hints' });
    graph.output(projected, 'float32', ['batch', 'frames', width]);
    const length = graph.op('Cast', [read.length], { to: ELEMENT_TYPE.float32 }, { name: 'hints_length' });
    graph.output(length, 'float32', ['batch', 1]);
  }
  if (lengths === undefined) return;
  const mask = read?.sourceMask ?? graph.input('source_mask', 'int32', ['batch', 'source']);
  emitLengths(graph, network, states, mask, lengths, read?.length);
}

/**
 * The length head: `length_logits [batch, classes]` from the mean and the maximum of `states` over the source's own
 * positions, `mask` int32 `[batch, source]`, and from the length of a hint, int32 `[batch, 1]`, where there is one.
 */
function emitLengths(
  graph: GraphBuilder,
  network: CanvasNetwork,
  states: Value,
  mask: Value,
  lengths: Lengths,
  hintLength: Value | undefined,
): void {
  const { width } = network.shape;
  const linear = linearOf(network, contextOf(graph, network));
  const last = graph.constant('int64', [1], [2]);
  const overTime = graph.constant('int64', [1], [1]);
  const visible = graph.op('Unsqueeze', [graph.op('Cast', [mask], { to: ELEMENT_TYPE.bool }), last]);
  const counted = graph.op('Cast', [visible], { to: ELEMENT_TYPE.float32 });
  const sum = graph.op('ReduceSum', [graph.op('Mul', [states, counted]), overTime], { keepdims: 0 });
  const mean = graph.op('Div', [sum, graph.op('ReduceSum', [counted, overTime], { keepdims: 0 })]);
  const hidden = graph.constant('float32', [], [-3e38]);
  const max = graph.op('ReduceMax', [graph.op('Where', [visible, states, hidden]), overTime], { keepdims: 0 });
  const parts = [mean, max];
  if (hintLength !== undefined) parts.push(emitHintClass(graph, network, mask, lengths, hintLength));
  const pooled = graph.op('Concat', parts, { axis: 1 });
  const layer = linear(pooled, 'length.hidden', parts.length * width, width);
  const active = graph.op('Mul', [layer, graph.op('Sigmoid', [layer])]);
  const logits = linear(active, 'length.out', width, lengths.classes);
  graph.op('Identity', [logits], {}, { name: 'length_logits' });
  graph.output('length_logits', 'float32', ['batch', lengths.classes]);
}

/** The class that a hint's own length falls in, as the sinusoids of a position, `[batch, width]`. */
function emitHintClass(
  graph: GraphBuilder,
  { shape }: CanvasNetwork,
  mask: Value,
  { classes, offset }: Lengths,
  hintLength: Value,
): Value {
  const scalar = (value: number): Value => graph.constant('int32', [], [value]);
  const sourceLength = graph.op('ReduceSum', [mask, graph.constant('int64', [1], [1])], { keepdims: 1 });
  const more = graph.op('Sub', [hintLength, sourceLength]);
  const clipped = graph.op('Clip', [graph.op('Add', [more, scalar(offset)]), scalar(0), scalar(classes - 1)]);
  const table = positionTable(graph, shape.maxPositions, shape.width);
  return graph.op('Gather', [table, graph.op('Squeeze', [clipped, graph.constant('int64', [1], [1])])]);
}
