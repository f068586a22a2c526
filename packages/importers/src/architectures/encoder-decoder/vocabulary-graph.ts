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

/** Share of the vocabulary from which on all tokens are scored where these are listed. */
const LARGE_SHARE = 0.75;

const TYPES: readonly ElementType[] = ['float32', 'int32'];
const HEADS: readonly [ScoreHead, ...ScoreHead[]] = ['argmax', 'topK', 'logProbs', 'logits'];

/**
 * All that reads the tables of tokens, in one graph, so that one that embeds and scores is in memory once. `mode` int32 `[1]` says what is wanted,
 * by its place in `VOCABULARY_MODES`: embeddings of `token_ids` int32 `[tokens]`, or what a head makes of
 * `states [rows, width]`, with `k` int64 `[1]` where it is the top-k head.
 *
 * Returns `scores`: the embeddings `[tokens, width]`, or scores `[rows, 1]`, `[rows, k]`, `[rows, vocabulary]`; and
 * `best_token_ids` int32 of the scores where the head chooses, else `token_ids` as `[tokens, 1]`.
 *
 * A `shortlisted` graph can score a part of the vocabulary alone (`declareListing`), and gives the output table's rows of `token_ids`
 * in mode `rows`.
 */
export function emitVocabulary(graph: GraphBuilder, network: EncoderDecoderNetwork, shortlisted = false): void {
  const { width, head } = network;
  const mode = graph.input('mode', 'int32', [1]);
  const tokenIds = graph.input('token_ids', 'int32', ['tokens']);
  const states = graph.input('states', 'float32', ['rows', width]);
  const k = graph.input('k', 'int64', [1]);
  const listing = shortlisted ? declareListing(graph, width) : undefined;
  const isMode = (name: (typeof VOCABULARY_MODES)[number]): Value =>
    graph.op('Equal', [mode, graph.constant('int32', [1], [VOCABULARY_MODES.indexOf(name)])]);
  const same = (): Value => graph.op('Unsqueeze', [tokenIds, graph.constant('int64', [1], [1])]);
  const names = ['scores', 'best_token_ids'];
  const heads = (logits: Value, of?: readonly string[]) => chosenHead(graph, HEADS, logits, k, isMode, same, of);
  graph.choose(
    isMode('embed'),
    TYPES,
    () => [embedTokens(graph, network.decoder.embedding, tokenIds), same()],
    () => {
      if (listing === undefined) return heads(emitLogits(graph, network, states), names);
      const rows = (): Value => embedTokens(graph, { ...head.embedding, scale: undefined }, tokenIds);
      const none = nothingListed(graph, listing);
      const best = graph.op('And', [isMode('argmax'), graph.op('Not', [none])]);
      return graph.choose(
        isMode('rows'),
        TYPES,
        () => [rows(), same()],
        () =>
          graph.choose(
            best,
            TYPES,
            () => emitBestListed(graph, network, states, listing),
            () => heads(emitAll(graph, network, states, listing, none)),
          ),
      );
    },
    names,
  );
  graph.output('scores', 'float32', ['cells', 'columns']);
  graph.output('best_token_ids', 'int32', ['ids', 'candidates']);
}

/** Tokens that are scored alone. */
interface Listing {
  readonly listed: Value;
  readonly table: Value;
  readonly possible: Value;
  readonly possibleOf: Value;
}

/**
 * Tokens that are scored alone: `listed` int32 `[listed]`, distinct token ids, none to score all; `table [listed, width]`, their rows of
 * the output table; `possible [sources, listed]`, 0 where the output of a source may have a token, else -Infinity; `possible_of` int32
 * `[rows]`, the source of each state.
 */
function declareListing(graph: GraphBuilder, width: number): Listing {
  return {
    listed: graph.input('listed', 'int32', ['listed']),
    table: graph.input('table', 'float32', ['listed', width]),
    possible: graph.input('possible', 'float32', ['sources', 'listed']),
    possibleOf: graph.input('possible_of', 'int32', ['of']),
  };
}

const nothingListed = (graph: GraphBuilder, { listed }: Listing): Value =>
  graph.op('Equal', [graph.op('Shape', [listed], { start: 0, end: 1 }), graph.constant('int64', [1], [0])]);

/** Logits of listed tokens, `[rows, listed]`; of those that the output of a row's source may not have, -Infinity. */
function emitListed(
  graph: GraphBuilder,
  network: EncoderDecoderNetwork,
  states: Value,
  { listed, table, possible, possibleOf }: Listing,
): Value {
  const bias = outputBias(graph, network);
  const size = graph.op('Shape', [listed], { start: 0, end: 1 });
  const scores = productWith(graph, network, table, states, size);
  const biased = bias === undefined ? scores : graph.op('Add', [scores, graph.op('Gather', [bias, listed])]);
  return graph.op('Add', [biased, graph.op('Gather', [possible, possibleOf])]);
}

/** The best listed token of each row, `[rows, 1]`: its logit, and its id. */
function emitBestListed(
  graph: GraphBuilder,
  network: EncoderDecoderNetwork,
  states: Value,
  listing: Listing,
): readonly Value[] {
  const logits = emitListed(graph, network, states, listing);
  // Ids ascend, so the first among equals is the lowest here too.
  const [best, at] = graph.ops('TopK', [logits, graph.constant('int64', [1], [1])], 2, { axis: 1 });
  return [best, graph.op('Gather', [listing.listed, at])];
}

/**
 * Logits `[rows, vocabulary]`; where tokens are listed, those of all others are -Infinity. The listed ones lie where they do among all,
 * so that they are normalised there: a sum over them alone would add up in another order beside rows that list others.
 *
 * To lay out the scores of many states costs as much as their products. So where most tokens are listed, all are scored, with the same
 * bits, and what each source lists is laid out instead, once for all of its states.
 */
function emitAll(
  graph: GraphBuilder,
  network: EncoderDecoderNetwork,
  states: Value,
  listing: Listing,
  nothing: Value,
): Value {
  const { vocabularySize, head } = network;
  const { listed, possible, possibleOf } = listing;
  const all = (): Value => {
    const own = emitLogits(graph, network, states);
    const among = (): Value => {
      const everywhere = laidOut(graph, listed, possible, vocabularySize);
      return graph.op('Add', [own, graph.op('Gather', [everywhere, possibleOf])]);
    };
    return graph.choose(
      nothing,
      ['float32'],
      () => [graph.op('Identity', [own])],
      () => [among()],
    )[0];
  };
  const isLarge = (): Value => {
    const count = graph.op('Shape', [listed], { start: 0, end: 1 });
    return graph.op('Greater', [count, graph.constant('int64', [1], [Math.floor(LARGE_SHARE * vocabularySize)])]);
  };
  // Quantised products with all rows have other bits than those with listed ones.
  const whole = head.embedding.quantised ? nothing : graph.op('Or', [nothing, isLarge()]);
  const [logits] = graph.choose(
    whole,
    ['float32'],
    () => [all()],
    () => [laidOut(graph, listed, emitListed(graph, network, states, listing), vocabularySize)],
  );
  return logits;
}

/** Values `[rows, listed]` where their tokens lie among all, `[rows, vocabulary]`; -Infinity for others. */
function laidOut(graph: GraphBuilder, listed: Value, values: Value, vocabularySize: number): Value {
  const list = (value: number): Value => graph.constant('int64', [1], [value]);
  const count = graph.op('Shape', [values], { start: 0, end: 1 });
  const size = graph.op('Concat', [count, list(vocabularySize)], { axis: 0 });
  const impossible = graph.constant('float32', [1, 1], [Number.NEGATIVE_INFINITY]);
  const places = graph.op('Expand', [graph.op('Unsqueeze', [listed, list(0)]), graph.op('Shape', [values])]);
  return graph.op('ScatterElements', [graph.op('Expand', [impossible, size]), places, values], { axis: 1 });
}

/**
 * Logits `[rows, vocabulary]`. The table is the left matrix of the product, which is read as it lies; of the right one ONNX Runtime
 * would keep a second copy, in an order that is faster to read.
 */
function emitLogits(graph: GraphBuilder, network: EncoderDecoderNetwork, states: Value): Value {
  const { vocabularySize, head } = network;
  const bias = outputBias(graph, network);
  // A row of these products does not depend on how many there are, and their table has no second copy.
  if (head.embedding.quantised) return scoreStates(graph, network, states, bias);
  const size = graph.constant('int64', [1], [vocabularySize]);
  const own = productWith(graph, network, embeddingTable(graph, head.embedding), states, size);
  return bias === undefined ? graph.op('Identity', [own]) : graph.op('Add', [own, bias]);
}

/** Products of states `[rows, width]` with all rows of `table [size, width]`: `[rows, size]`. */
function productWith(
  graph: GraphBuilder,
  network: EncoderDecoderNetwork,
  table: Value,
  states: Value,
  size: Value,
): Value {
  const { width } = network;
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
  const product = graph.op('MatMul', [table, columns]);
  const shape = graph.op('Concat', [list(-1), size], { axis: 0 });
  const rows = graph.op('Reshape', [graph.op('Transpose', [product], { perm: [0, 2, 1] }), shape]);
  return graph.op('Slice', [rows, list(0), count, list(0)]);
}
