import { attendAs, headsWidth, projectOut, queryKeyValue, type SourceReading } from '../../blocks/attention.js';
import type { BlockContext } from '../../blocks/block-context.js';
import { type HeadNames, type ScoreHead, scoreHead } from '../../blocks/heads.js';
import { relativeBias } from '../../blocks/relative-positions.js';
import { type SsruNames, ssru } from '../../blocks/ssru.js';
import { crossAttentionBlock, feedForwardBlock, ownAttentionBlock } from '../../blocks/transformer-layers.js';
import type { GraphBuilder, Value } from '../../graphs/graph-builder.js';
import {
  closeStack,
  contextOf,
  declareTokens,
  type EncoderDecoderNetwork,
  layerOf,
  placeTokens,
  type TokenInput,
} from './network.js';
import { outputBias, scoreStates } from './output-scores.js';

/** What a step graph returns for each new node; see `emitStep`. */
export type StepHead = ScoreHead | 'topKWithStates';

/**
 * One decoder step over new nodes: `token_ids`, `positions` int32 `[batch, new]`;
 * `attention_bias [batch, 1, new, past + new]`, 0 where a node sees another and a large negative number elsewhere;
 * `past_i [batch, past, kept]`, cached keys at even and values at odd i; `cross_bias [batch, 1, new, source]`, likewise
 * for padding; `cross_i [batch, source, kept]`, keys at even and values at odd i; `scored [scored]`, int32, the cells of the
 * flattened `[batch, new]` whose successors are wanted. Where attention depends on the distance of tokens, `key_positions` int32
 * `[batch, past + new]`, too.
 *
 * A recurrent decoder has `before` in place of attention bias and cached keys and values (`recurrentLayers`).
 *
 * Returns `new [batch, new, 2 * layers * kept]`, only the new keys and values, and the head's outputs, a row for each
 * of `scored`.
 */
export function emitStep(graph: GraphBuilder, network: EncoderDecoderNetwork, head: StepHead): void {
  const { width, vocabularySize } = network;
  const rows = emitDecoder(graph, network, 'ids');
  if (head === 'topKWithStates') declareStates(graph, rows, width);
  const named = { name: head === 'logits' ? 'logits' : undefined };
  const logits = scoreStates(graph, network, rows, outputBias(graph, network), named);
  const kind = head === 'topKWithStates' ? 'topK' : head;
  const k = () => graph.input('k', 'int64', [1]);
  const { scores, tokenIds } = scoreHead(graph, kind, logits, k, HEAD_NAMES[kind]);
  const columns = { argmax: 1, topK: 'k', logProbs: vocabularySize, logits: vocabularySize }[kind];
  graph.output(scores, 'float32', ['scored', columns]);
  if (tokenIds !== undefined) graph.output(tokenIds, 'int32', ['scored', columns]);
}

/**
 * A step without its head: `emitStep` with `embedded [batch, new, width]` in place of `token_ids`, and the `states
 * [scored, width]` of the last layer in place of the head's outputs.
 */
export function emitStepBody(graph: GraphBuilder, network: EncoderDecoderNetwork): void {
  declareStates(graph, emitDecoder(graph, network, 'embedded'), network.width);
}

const HEAD_NAMES: Readonly<Record<ScoreHead, HeadNames>> = {
  argmax: { scores: 'score', tokenIds: 'best' },
  topK: { scores: 'best', tokenIds: 'best_token_ids' },
  logProbs: { scores: 'log_probs' },
  logits: {},
};

function declareStates(graph: GraphBuilder, rows: Value, width: number): void {
  graph.op('Identity', [rows], {}, { name: 'states' });
  graph.output('states', 'float32', ['scored', width]);
}

/** The decoder's layers: inputs and `new` as `emitStep` says, and the states of the scored cells, `[scored, width]`. */
function emitDecoder(graph: GraphBuilder, network: EncoderDecoderNetwork, kind: TokenInput): Value {
  const { width, decoder, recurrent } = network;
  const { layers } = decoder;
  const kept = headsWidth(decoder.shape);
  const context = contextOf(graph, network);
  const tokens = declareTokens(graph, network, kind, ['batch', 'new']);
  const positions = graph.input('positions', 'int32', ['batch', 'new']);
  const own =
    recurrent === undefined
      ? attentiveLayers(context, network, positions)
      : recurrentLayers(context, network, recurrent);
  const bias = graph.input('cross_bias', 'float32', ['batch', 1, 'new', 'source']);
  const cross = Array.from({ length: 2 * layers }, (_, index) =>
    graph.input(`cross_${index}`, 'float32', ['batch', 'source', kept]),
  );
  let x = placeTokens(context, decoder, kind, tokens, positions);
  for (let number = 0; number < layers; number++) {
    const layer = layerOf(decoder, number);
    const source: SourceReading = { keys: cross[2 * number], values: cross[2 * number + 1], bias };
    x = crossAttentionBlock(context, layer, own.block(number, x), source);
    x = feedForwardBlock(context, layer, x);
  }
  own.declareNew();
  const cells = graph.op('Reshape', [x, graph.constant('int64', [2], [-1, width])]);
  return closeStack(context, decoder, graph.op('Gather', [cells, graph.input('scored', 'int32', ['scored'])]));
}

/** How a decoder's layers read what came before. */
interface OwnLayers {
  /** The first block of layer `number`. */
  readonly block: (number: number, x: Value) => Value;
  /** Declares what the new nodes are to keep, after all layers. */
  readonly declareNew: () => void;
}

/** Attention to keys and values, cached ones and new ones. */
function attentiveLayers(context: BlockContext, { decoder }: EncoderDecoderNetwork, positions: Value): OwnLayers {
  const { graph } = context;
  const { layers, relative } = decoder;
  const kept = headsWidth(decoder.shape);
  const visible = graph.input('attention_bias', 'float32', ['batch', 1, 'new', 'total']);
  const keyPositions = (): Value => graph.input('key_positions', 'int32', ['batch', 'total']);
  const mask =
    relative === undefined
      ? visible
      : graph.op('Add', [relativeBias(context, relative, positions, keyPositions()), visible]);
  const pasts = Array.from({ length: 2 * layers }, (_, index) =>
    graph.input(`past_${index}`, 'float32', ['batch', 'past', kept]),
  );
  const fresh: Value[] = [];
  return {
    block: (number, x) =>
      ownAttentionBlock(context, layerOf(decoder, number), x, (seen, attention, prefix) => {
        const [query, key, value] = queryKeyValue(context, attention, seen, prefix);
        fresh.push(key, value);
        const keys = graph.op('Concat', [pasts[2 * number], key], { axis: 1 });
        const values = graph.op('Concat', [pasts[2 * number + 1], value], { axis: 1 });
        const inputs = { query, key: keys, value: values, mask };
        return projectOut(context, attention, attendAs(context, attention, inputs), prefix);
      }),
    declareNew: () => {
      graph.op('Concat', fresh, { axis: 2 }, { name: 'new' });
      graph.output('new', 'float32', ['batch', 'new', 2 * layers * kept]);
    },
  };
}

/**
 * Recurrent layers: in place of keys and values, `before [chains, layers * width]` is the state before each chain of new nodes, and
 * `new [chains, length, layers * width]` that after each of them. A row's nodes are its chains, one after the other.
 */
function recurrentLayers(
  context: BlockContext,
  { decoder, width }: EncoderDecoderNetwork,
  names: SsruNames,
): OwnLayers {
  const { graph } = context;
  const { layers } = decoder;
  const all = graph.input('before', 'float32', ['chains', layers * width]);
  const before = layers === 1 ? [all] : graph.ops('Split', [all], layers, { axis: 1, num_outputs: layers });
  const after: Value[] = [];
  return {
    block: (number, x) =>
      ownAttentionBlock(context, layerOf(decoder, number), x, (seen, _, prefix) => {
        const { states, cells } = ssru(context, width, names, prefix, seen, before[number]);
        after.push(cells);
        return states;
      }),
    declareNew: () => {
      graph.op('Concat', after, { axis: 2 }, { name: 'new' });
      graph.output('new', 'float32', ['chains', 'length', layers * width]);
    },
  };
}
