import { ELEMENT_TYPE, STEP_MODES } from '@foretoken/models/internal';
import { type BlockContext, blockContext, type ProductPrecision } from '../../blocks/block-context.js';
import { scoreTokens, type TokenEmbedding } from '../../blocks/embedding.js';
import { chosenHead } from '../../blocks/heads.js';
import type { GraphBuilder, Value } from '../../graphs/graph-builder.js';
import type { TensorOf } from '../../tensors/tensor-reader.js';

/** Tokens that are never to be output get this added to their logits; it stays finite in fp16 storage. */
const SUPPRESSED = -60_000;

/** What the layers of a decoder-only network read. */
export interface CausalInputs {
  /** int32 `[batch, new]`. */
  readonly tokenIds: Value;
  /** int32 `[batch, new]`. */
  readonly positions: Value;
  /** `[batch, 1, new, past + new]`: 0 where a node sees another, a large negative number elsewhere. */
  readonly bias: Value;
  /** Cached keys and values of each layer, `[batch, past, keyValueWidth]`. */
  readonly past: readonly { readonly keys: Value; readonly values: Value }[];
}

/** States `[batch, new, width]` of the last layer, not yet normalised, and the new keys and values by layer. */
export interface CausalStates {
  readonly states: Value;
  readonly fresh: readonly { readonly keys: Value; readonly values: Value }[];
}

/** A decoder-only network: its sizes, its weights, and what its layers are. */
export interface CausalNetwork {
  readonly vocabularySize: number;
  readonly width: number;
  readonly layers: number;
  /** Numbers that a layer's keys take for a token, and its values. */
  readonly keyValueWidth: number;
  readonly tensorOf: TensorOf;
  /** The matrix that scores states; the embedding where the two are tied. */
  readonly head: TokenEmbedding;
  /** Tokens that are never to be output. */
  readonly suppressed: readonly number[];
  /**
   * Tokens that no output is to begin with; where it is given, the graph reads `begin` int32 `[batch, 1]`, the position of the last
   * token before the output of each row. Where that is negative no output begins, and nothing is ruled out.
   */
  readonly suppressedFirst?: readonly number[] | undefined;
  /** How products of the layers are computed. */
  readonly precision: ProductPrecision;
  readonly emitLayers: (context: BlockContext, inputs: CausalInputs) => CausalStates;
  /** Normalises the states that are scored, `[scored, width]`. */
  readonly emitNorm: (context: BlockContext, states: Value) => Value;
}

/**
 * One step over new nodes: `token_ids`, `positions` int32 `[batch, new]`; `attention_bias [batch, 1, new, past + new]`;
 * `past_i [batch, past, keyValueWidth]`, cached keys at even and values at odd i; `scored` int32 `[scored]`, the cells of the
 * flattened `[batch, new]` whose successors are wanted; `mode` int32 `[1]`, what is wanted of them, by its place in `STEP_MODES`;
 * `k` int64 `[1]`, read where it is the top-k head.
 *
 * Returns `new [batch, new, 2 * layers * keyValueWidth]`, only the new keys and values; `states [scored, width]`; `scores
 * [scored, 1 or k or vocabulary]`, `best_token_ids` int32 of the same shape where the head chooses. Weights are there once, whatever is wanted.
 */
export function emitCausalStep(graph: GraphBuilder, network: CausalNetwork): void {
  const { width, layers, keyValueWidth } = network;
  const context = blockContext(graph, network.tensorOf, { precision: network.precision });
  const past = (part: number): Value => graph.input(`past_${part}`, 'float32', ['batch', 'past', keyValueWidth]);
  const inputs: CausalInputs = {
    tokenIds: graph.input('token_ids', 'int32', ['batch', 'new']),
    positions: graph.input('positions', 'int32', ['batch', 'new']),
    bias: graph.input('attention_bias', 'float32', ['batch', 1, 'new', 'total']),
    past: Array.from({ length: layers }, (_, layer) => ({ keys: past(2 * layer), values: past(2 * layer + 1) })),
  };
  const scored = graph.input('scored', 'int32', ['scored']);
  const mode = graph.input('mode', 'int32', [1]);
  const k = graph.input('k', 'int64', [1]);
  const { states: all, fresh } = network.emitLayers(context, inputs);
  const parts = fresh.flatMap(({ keys, values }) => [keys, values]);
  graph.op('Concat', parts, { axis: 2 }, { name: 'new' });
  graph.output('new', 'float32', ['batch', 'new', 2 * layers * keyValueWidth]);
  const cells = graph.op('Reshape', [all, graph.constant('int64', [2], [-1, width])]);
  const states = network.emitNorm(context, graph.op('Gather', [cells, scored]));
  graph.op('Identity', [states], {}, { name: 'states' });
  graph.output('states', 'float32', ['scored', width]);
  const bias = suppression(graph, network, inputs.positions, scored);
  const logits = scoreTokens(graph, network.head, states, bias);
  chosenHead(
    graph,
    STEP_MODES,
    logits,
    k,
    (head) => graph.op('Equal', [mode, graph.constant('int32', [1], [STEP_MODES.indexOf(head)])]),
    () => graph.op('Unsqueeze', [scored, graph.constant('int64', [1], [1])]),
    ['scores', 'best_token_ids'],
  );
  graph.output('scores', 'float32', ['rows', 'columns']);
  graph.output('best_token_ids', 'int32', ['ids', 'candidates']);
}

/** What is added to logits: `[vocabulary]`, or `[scored, vocabulary]` where it depends on the place. */
function suppression(
  graph: GraphBuilder,
  { suppressed, suppressedFirst, vocabularySize }: CausalNetwork,
  positions: Value,
  scored: Value,
): Value | undefined {
  if (suppressedFirst !== undefined) {
    // Without an output, at any place of one but the first, and there.
    const rows = [[], suppressed, [...suppressed, ...suppressedFirst]];
    const values = new Float32Array(rows.length * vocabularySize);
    for (const [row, tokenIds] of rows.entries()) {
      for (const tokenId of tokenIds) values[row * vocabularySize + tokenId] = SUPPRESSED;
    }
    const begin = graph.input('begin', 'int32', ['batch', 1]);
    const asInteger = (flags: Value): Value => graph.op('Cast', [flags], { to: ELEMENT_TYPE.int32 });
    const begins = asInteger(graph.op('GreaterOrEqual', [begin, graph.constant('int32', [1], [0])]));
    const row = graph.op('Add', [begins, asInteger(graph.op('Equal', [positions, begin]))]);
    const cells = graph.op('Gather', [graph.op('Reshape', [row, graph.constant('int64', [1], [-1])]), scored]);
    return graph.op('Gather', [graph.weight('suppressed', [rows.length, vocabularySize], values), cells]);
  }
  if (suppressed.length === 0) return undefined;
  const values = new Float32Array(vocabularySize);
  for (const tokenId of suppressed) values[tokenId] = SUPPRESSED;
  return graph.weight('suppressed', [vocabularySize], values);
}
