import { type BlockContext, blockContext } from '../blocks/block-context.js';
import { embedTokens, type TokenEmbedding } from '../blocks/embedding.js';
import { linear } from '../blocks/linear.js';
import { positionTable } from '../blocks/positions.js';
import { encoderLayer, type LayerShape, POST_NORM, readingLayer } from '../blocks/transformer-layers.js';
import type { GraphBuilder, Value } from '../graphs/graph-builder.js';
import { keptUnderName, type TensorOf } from '../tensors/tensor-reader.js';

/** Sizes of a network over the positions of a canvas. */
export interface CanvasShape extends LayerShape {
  readonly layers: number;
  readonly vocabularySize: number;
  readonly maxPositions: number;
}

/** A network over the positions of a canvas: sizes, weights, and the name they are kept under. */
export interface CanvasNetwork {
  readonly name: string;
  readonly shape: CanvasShape;
  /** Its layers read a source. */
  readonly readsSource: boolean;
  /** Its positions are given what a hint says there. */
  readonly readsHints: boolean;
  readonly maskTokenId: number;
  /** Token ids of the head's rows, different ones; no other token gets any probability. */
  readonly headTokenIds: readonly number[];
  /** The network's own weights. */
  readonly tensorOf: TensorOf;
  /** The embedding of tokens, which may be the encoder's. */
  readonly embedding: TokenEmbedding;
}

/** What a graph returns for every position of a canvas; see `emitTokens`. */
export type FillHead = 'argmax' | 'topK' | 'logProbs';

/** The last hidden states of a canvas, `[batch, canvas, width]`, and what a head reads them with. */
export interface CanvasStates {
  readonly x: Value;
  /** The linear layer `name` of the network. */
  readonly linear: (x: Value, name: string, inputs: number, outputs: number) => Value;
}

/**
 * The network over its canvases: `token_ids`, `positions`, `mask` int32 `[batch, canvas]` in, and where it reads a source
 * `cross_bias [batch, 1, canvas, source]`, 0 or a large negative number for padding, and
 * `cross_i [batch, source, width]`, keys at even and values at odd i; where it reads hints, `hints [batch, canvas, width]`.
 */
export function emitCanvas(graph: GraphBuilder, network: CanvasNetwork): CanvasStates {
  const { name, shape, readsSource } = network;
  const { width } = shape;
  const context = contextOf(graph, network);
  const dims = ['batch', 'canvas'];
  const tokenIds = graph.input('token_ids', 'int32', dims);
  const positions = graph.input('positions', 'int32', dims);
  const mask = graph.input('mask', 'int32', dims);
  const cross: Value[] = [];
  let bias: Value = '';
  if (readsSource) {
    bias = graph.input('cross_bias', 'float32', ['batch', 1, 'canvas', 'source']);
    for (let index = 0; index < 2 * shape.layers; index++) {
      cross.push(graph.input(`cross_${index}`, 'float32', ['batch', 'source', width]));
    }
  }
  const hint = network.readsHints ? graph.input('hints', 'float32', [...dims, width]) : undefined;
  let x = embed(graph, network, tokenIds, positions, hint);
  for (let number = 0; number < shape.layers; number++) {
    const layer = { shape, style: POST_NORM, prefix: `${name}.layers.${number}` };
    const source = { keys: cross[2 * number], values: cross[2 * number + 1], bias };
    x = readsSource ? readingLayer(context, layer, x, mask, source) : encoderLayer(context, layer, x, mask);
  }
  return { x, linear: linearOf(network, context) };
}

/** A graph that predicts the tokens of a canvas: `emitCanvas`, then `emitTokens`. */
export function emitFill(graph: GraphBuilder, network: CanvasNetwork, head: FillHead): void {
  emitTokens(graph, network, emitCanvas(graph, network), head);
}

/**
 * The token head: `argmax` returns `best` int32 `[batch, canvas, 1]`; `topK`, which takes `k` int64 `[1]`,
 * `best_token_ids` int32 and `best_log_probs [batch, canvas, k]`; `logProbs`, `log_probs [batch, canvas, vocab]`,
 * `-Infinity` where the head has no row.
 */
function emitTokens(graph: GraphBuilder, network: CanvasNetwork, { x, linear }: CanvasStates, head: FillHead): void {
  const { headTokenIds, shape } = network;
  const rows = headTokenIds.length;
  const scores = linear(x, 'head', shape.width, rows);
  const tokenIds = (): Value => graph.constant('int32', [rows], headTokenIds);
  if (head === 'argmax') {
    // The first row among equals, as ArgMax, in two thirds of its time.
    const [, best] = graph.ops('TopK', [scores, graph.constant('int64', [1], [1])], 2, { axis: 2 });
    graph.output(graph.op('Gather', [tokenIds(), best], {}, { name: 'best' }), 'int32', ['batch', 'canvas', 1]);
    return;
  }
  const logProbs = graph.op('LogSoftmax', [scores], { axis: 2 });
  if (head === 'topK') {
    const k = graph.input('k', 'int64', [1]);
    const [values, best] = graph.ops('TopK', [logProbs, k], 2, { axis: 2 });
    const ids = graph.op('Gather', [tokenIds(), best], {}, { name: 'best_token_ids' });
    graph.output(ids, 'int32', ['batch', 'canvas', 'k']);
    const found = graph.op('Identity', [values], {}, { name: 'best_log_probs' });
    graph.output(found, 'float32', ['batch', 'canvas', 'k']);
    return;
  }
  graph.output(spread(graph, logProbs, headTokenIds, shape.vocabularySize), 'float32', [
    'batch',
    'canvas',
    shape.vocabularySize,
  ]);
}

/** Scores of the head's rows as scores of the vocabulary: one column more says `-Infinity` for all other tokens. */
function spread(graph: GraphBuilder, scores: Value, headTokenIds: readonly number[], vocabularySize: number): Value {
  const rows = headTokenIds.length;
  const none = graph.constant('float32', [], [Number.NEGATIVE_INFINITY]);
  const pads = graph.constant('int64', [6], [0, 0, 0, 0, 0, 1]);
  const padded = graph.op('Pad', [scores, pads, none], { mode: 'constant' });
  const rowOf = new Array<number>(vocabularySize).fill(rows);
  for (const [row, tokenId] of headTokenIds.entries()) rowOf[tokenId] = row;
  const columns = graph.constant('int32', [vocabularySize], rowOf);
  return graph.op('Gather', [padded, columns], { axis: 2 }, { name: 'log_probs' });
}

/** What the network's blocks are written with; its weights are kept under its name. */
export function contextOf(graph: GraphBuilder, { tensorOf }: CanvasNetwork): BlockContext {
  return blockContext(graph, keptUnderName(tensorOf));
}

/** Linear layers of the network by name. */
export function linearOf({ name }: CanvasNetwork, context: BlockContext): CanvasStates['linear'] {
  return (x, layer, inputs, outputs) => linear(context, x, `${name}.${layer}`, { inputs, outputs, biased: true });
}

/**
 * `sqrt(width) * embedding + hints + position`, with a vector of its own, unscaled, for the mask,
 * `[batch, canvas, width]`.
 */
function embed(
  graph: GraphBuilder,
  network: CanvasNetwork,
  tokenIds: Value,
  positions: Value,
  hint: Value | undefined,
): Value {
  const { name, shape, maskTokenId, tensorOf, embedding } = network;
  const { width } = shape;
  const scaled = embedTokens(graph, embedding, tokenIds);
  const isMask = graph.op('Equal', [tokenIds, graph.constant('int32', [], [maskTokenId])]);
  const masked = tensorOf('embed.mask', [width]);
  const tokens = graph.op('Where', [
    graph.op('Unsqueeze', [isMask, graph.constant('int64', [1], [2])]),
    graph.weight(`${name}.embed.mask`, masked.dims, masked.values),
    scaled,
  ]);
  const sines = positionTable(graph, shape.maxPositions, width);
  const given = hint === undefined ? tokens : graph.op('Add', [tokens, hint]);
  return graph.op('Add', [given, graph.op('Gather', [sines, positions])]);
}
