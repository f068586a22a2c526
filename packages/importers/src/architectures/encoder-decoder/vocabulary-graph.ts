import { type ElementType, VOCABULARY_MODES } from '@foretoken/models/internal';
import { embeddingTable, embedTokens } from '../../blocks/embedding.js';
import { chosenHead, type ScoreHead } from '../../blocks/heads.js';
import type { GraphBuilder, Value } from '../../graphs/graph-builder.js';
import type { EncoderDecoderNetwork } from './network.js';
import { outputBias, scaledStates, scoreStates } from './output-scores.js';

/**
 * Rows of states that are multiplied with the table together, always, with empty ones where there are fewer: a product of another
 * size may add up in another order, and then a row's scores would depend on how many others there are.
 */
const ROWS = 16;

const TYPES: readonly ElementType[] = ['float32', 'int32'];
const HEADS: readonly [ScoreHead, ...ScoreHead[]] = ['argmax', 'topK', 'logProbs', 'logits'];

/**
 * All that reads the tables of tokens, in one graph, so that one that embeds and scores is in memory once. `mode` int32 `[1]` says what is wanted,
 * by its place in `VOCABULARY_MODES`: embeddings of `token_ids` int32 `[tokens]`, or what a head makes of
 * `states [rows, width]`, with `k` int64 `[1]` where it is the top-k head.
 *
 * Returns `scores`: the embeddings `[tokens, width]`, or scores `[rows, 1]`, `[rows, k]`, `[rows, vocabulary]`; and
 * `best_token_ids` int32 of the scores where the head chooses, else `token_ids` as `[tokens, 1]`.
 */
export function emitVocabulary(graph: GraphBuilder, network: EncoderDecoderNetwork): void {
  const { width } = network;
  const mode = graph.input('mode', 'int32', [1]);
  const tokenIds = graph.input('token_ids', 'int32', ['tokens']);
  const states = graph.input('states', 'float32', ['rows', width]);
  const k = graph.input('k', 'int64', [1]);
  const isMode = (name: (typeof VOCABULARY_MODES)[number]): Value =>
    graph.op('Equal', [mode, graph.constant('int32', [1], [VOCABULARY_MODES.indexOf(name)])]);
  const same = (): Value => graph.op('Unsqueeze', [tokenIds, graph.constant('int64', [1], [1])]);
  const names = ['scores', 'best_token_ids'];
  graph.choose(
    isMode('embed'),
    TYPES,
    () => [embedTokens(graph, network.decoder.embedding, tokenIds), same()],
    () => chosenHead(graph, HEADS, emitLogits(graph, network, states), k, isMode, same),
    names,
  );
  graph.output('scores', 'float32', ['cells', 'columns']);
  graph.output('best_token_ids', 'int32', ['ids', 'candidates']);
}

/**
 * Logits `[rows, vocabulary]`. The table is the left matrix of the product, which is read as it lies; of the right one ONNX Runtime
 * would keep a second copy, in an order that is faster to read.
 */
function emitLogits(graph: GraphBuilder, network: EncoderDecoderNetwork, states: Value): Value {
  const { width, vocabularySize, head } = network;
  const bias = outputBias(graph, network);
  // A row of these products does not depend on how many there are, and their table has no second copy.
  if (head.embedding.quantised) return scoreStates(graph, network, states, bias);
  const list = (...values: number[]): Value => graph.constant('int64', [values.length], values);
  const count = graph.op('Shape', [states], { start: 0, end: 1 });
  const groups = graph.op('Div', [graph.op('Add', [count, list(ROWS - 1)]), list(ROWS)]);
  const missing = graph.op('Sub', [graph.op('Mul', [groups, list(ROWS)]), count]);
  const pads = graph.op('Concat', [list(0, 0), missing, list(0)], { axis: 0 });
  const padded = graph.op('Reshape', [
    graph.op('Pad', [scaledStates(graph, network, states), pads]),
    list(-1, ROWS, width),
  ]);
  const columns = graph.op('Transpose', [padded], { perm: [0, 2, 1] });
  const product = graph.op('MatMul', [embeddingTable(graph, head.embedding), columns]);
  const rows = graph.op('Reshape', [graph.op('Transpose', [product], { perm: [0, 2, 1] }), list(-1, vocabularySize)]);
  const own = graph.op('Slice', [rows, list(0), count, list(0)]);
  return bias === undefined ? graph.op('Identity', [own]) : graph.op('Add', [own, bias]);
}
