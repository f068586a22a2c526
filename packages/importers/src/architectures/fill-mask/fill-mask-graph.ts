import { STEP_MODES } from '@foretoken/models/internal';
import { activate } from '../../blocks/activation.js';
import { blockContext } from '../../blocks/block-context.js';
import { embeddingTable, embedTokens, scoreTokens, type TokenEmbedding } from '../../blocks/embedding.js';
import { chosenHead } from '../../blocks/heads.js';
import { linear } from '../../blocks/linear.js';
import { layerNorm } from '../../blocks/norms.js';
import { learnedPositions } from '../../blocks/positions.js';
import { encoderLayer, type LayerStyle, POST_NORM } from '../../blocks/transformer-layers.js';
import type { GraphBuilder, Value } from '../../graphs/graph-builder.js';
import type { TensorOf } from '../../tensors/tensor-reader.js';
import type { FillMaskShape } from './fill-mask-shape.js';

/** A network that fills masks. */
export interface FillMaskNetwork {
  readonly shape: FillMaskShape;
  readonly tensorOf: TensorOf;
  /** Name of the bias of the scores. */
  readonly bias: string;
}

/**
 * Scores at places of texts: `token_ids`, `positions`, `mask` int32 `[batch, time]`, where 0 hides padding; `scored` int32 `[scored]`,
 * cells of the flattened `[batch, time]`; `mode` int32 `[1]`, what is wanted of them, by its place in `STEP_MODES`; `k` int64 `[1]`,
 * read where it is the top-k head.
 *
 * Returns `scores [scored, 1 or k or vocabulary]`, `best_token_ids` int32 of the same shape where the head chooses.
 */
export function emitFillMask(graph: GraphBuilder, { shape, tensorOf, bias: biasName }: FillMaskNetwork): void {
  const { width, layers, epsilon, naming, vocabularySize } = shape;
  const context = blockContext(graph, tensorOf);
  const dims = ['batch', 'time'];
  const tokenIds = graph.input('token_ids', 'int32', dims);
  const positions = graph.input('positions', 'int32', dims);
  const mask = graph.input('mask', 'int32', dims);
  const scored = graph.input('scored', 'int32', ['scored']);
  const mode = graph.input('mode', 'int32', [1]);
  const k = graph.input('k', 'int64', [1]);
  const table = (name: string, rows: number): TokenEmbedding => ({ name, table: tensorOf(name, [rows, width]) });
  const own = (name: string, rows: number): TokenEmbedding => table(`${naming.embeddings}.${name}.weight`, rows);
  const tokens = own('word_embeddings', vocabularySize);
  let x = embedTokens(graph, tokens, tokenIds);
  x = graph.op('Add', [x, placesOf(graph, shape, own, positions)]);
  x = layerNorm(context, x, `${naming.embeddings}.LayerNorm`, width, epsilon);
  const style: LayerStyle = {
    ...POST_NORM,
    normaliser: { kind: 'layer', epsilon },
    activation: shape.activation,
    names: naming.layer,
  };
  for (let number = 0; number < layers; number++) {
    x = encoderLayer(context, { shape, style, prefix: `${naming.layers}.${number}` }, x, mask);
  }
  // The vocabulary is large and masks are few, so the rest is computed of them alone.
  const cells = graph.op('Reshape', [x, graph.constant('int64', [2], [-1, width])]);
  const chosen = graph.op('Gather', [cells, scored]);
  const dense = linear(context, chosen, naming.head.dense, { inputs: width, outputs: width, biased: true });
  const states = layerNorm(context, activate(context, shape.headActivation, dense), naming.head.norm, width, epsilon);
  const head = shape.tied ? tokens : table(naming.head.table, vocabularySize);
  const bias = tensorOf(biasName, [vocabularySize]);
  const logits = scoreTokens(graph, head, states, graph.weight(biasName, bias.dims, bias.values));
  chosenHead(
    graph,
    STEP_MODES,
    logits,
    k,
    (wanted) => graph.op('Equal', [mode, graph.constant('int32', [1], [STEP_MODES.indexOf(wanted)])]),
    () => graph.op('Unsqueeze', [scored, graph.constant('int64', [1], [1])]),
    ['scores', 'best_token_ids'],
  );
  graph.output('scores', 'float32', ['rows', 'columns']);
  graph.output('best_token_ids', 'int32', ['ids', 'candidates']);
}

/** What is added to tokens: their positions, and that they are of the first text. */
function placesOf(
  graph: GraphBuilder,
  { positions: count, firstPosition, tokenTypes }: FillMaskShape,
  own: (name: string, rows: number) => TokenEmbedding,
  positions: Value,
): Value {
  const places = learnedPositions(graph, own('position_embeddings', firstPosition + count), firstPosition, positions);
  if (tokenTypes === 0) return places;
  const types = embeddingTable(graph, own('token_type_embeddings', tokenTypes));
  return graph.op('Add', [places, graph.op('Gather', [types, graph.constant('int32', [1], [0])])]);
}
