import type { AutoregressiveModel, DecodeEvent, DecodeRequest, NodeId, OptionalField } from '@foretoken/core';
import {
  decodeEnd,
  NodeBatch,
  nodeIdOf,
  opened,
  rowResult,
  startOutput,
  tokenCommit,
  Yielder,
} from '@foretoken/core/kit';
import { type Chosen, OpenHypothesis } from './open-hypothesis.js';
import type { TokenChoice } from './token-choice.js';

/** What its strategies can use of a request. */
export const ACCEPTS: readonly OptionalField[] = ['outputPrefixes', 'minNewTokens'];

/** How a left-to-right decode of independent hypotheses runs; made for one decode. */
export interface RowDecoding<Source> {
  /** Checked. */
  readonly request: DecodeRequest<Source>;
  readonly choice: TokenChoice;
  /** Hypotheses a row. */
  readonly hypotheses: number;
  /** Report `score`. */
  readonly scores: boolean;
  /** Report `tokenLogProbs`. */
  readonly tokenLogProbs: boolean;
}

/** Tokens to add as one chain below a node, and the hypotheses that go on from the chain's end. */
interface Feed {
  readonly row: number;
  readonly parent: NodeId;
  readonly tokenIds: Int32Array;
  readonly readers: readonly OpenHypothesis[];
}

/**
 * Grows every hypothesis of every row by one token a forward until all are over. A row's hypotheses share its prefix, which
 * is scored once; each then is a branch of the row's tree.
 *
 * One generator from the caller to the forest: each layer in between would cost every event a turn of the event loop.
 */
export async function* decodeRows<Source>(
  model: AutoregressiveModel<Source>,
  prepare: () => RowDecoding<Source>,
  began: number,
): AsyncGenerator<DecodeEvent, void, undefined> {
  const { request, choice, hypotheses, scores, tokenLogProbs } = prepare();
  const { sources, signal } = request;
  const forest = opened('autoregressive', await model.open(sources, { signal }));
  try {
    const rows = Array.from({ length: forest.rows }, (_, row) => {
      const start = forest.start(row);
      const output = startOutput(row, start.prefix.length, model, request);
      return Array.from({ length: hypotheses }, (_, sample) => new OpenHypothesis(row, start, sample, output.fork()));
    });
    // One hypothesis a row is final token by token; of several the best is known only at the end.
    const streams = hypotheses === 1;
    if (streams) {
      for (const [hypothesis] of rows) {
        const event = tokenCommit(hypothesis.row, hypothesis.rowOutput, 0, performance.now() - began);
        if (event !== undefined) yield event;
      }
    }
    let feeds = rows.map((readers, row): Feed => firstFeed(row, readers)).filter(({ readers }) => readers.length > 0);
    for (const [row, readers] of rows.entries()) if (readers[0]?.rowOutput.finishReason) forest.finish(row);
    const nodes = new NodeBatch();
    const yielder = new Yielder(signal);
    let forwards = 0;
    while (feeds.length > 0) {
      request.signal?.throwIfAborted();
      nodes.clear();
      const ends = feeds.map(({ row, parent, tokenIds }) => nodes.addChain(row, parent, tokenIds, 'last'));
      const extension = await forest.extend(nodes, choice.output, request.signal);
      forwards++;
      const atMs = performance.now() - began;
      const finished = new Set<number>();
      for (const [score, { row, readers }] of feeds.entries()) {
        for (const [index, hypothesis] of readers.entries()) {
          hypothesis.last = nodeIdOf(ends[score], extension.firstNode);
          const position = hypothesis.output.length;
          const chosen: Chosen = choice.choose(extension, score, hypothesis, index === readers.length - 1);
          if (!hypothesis.push(chosen)) finished.add(row);
          const event = streams ? tokenCommit(row, hypothesis.rowOutput, position, atMs) : undefined;
          if (event !== undefined) yield event;
          if (yielder.due()) await yielder.yield();
        }
      }
      feeds = feeds.flatMap(({ readers }) => readers.filter(isOpen).map(nextFeed));
      for (const row of finished) {
        const leaves = feeds.filter((feed) => feed.row === row).map(({ parent }) => parent);
        if (leaves.length === 0) forest.finish(row);
        else forest.retain(row, leaves);
      }
    }
    const results = rows.map((drawn, row) => {
      // Array sort is stable: equal scores keep the order of the samples.
      const ranked = scores ? [...drawn].sort((a, b) => b.logProb - a.logProb) : drawn;
      return rowResult(
        row,
        ranked.map((hypothesis) => hypothesis.finished(scores, tokenLogProbs)),
      );
    });
    const end = decodeEnd(results, began, { forwards });
    if (!streams) {
      for (const { row, best } of results) {
        const { tokenIds } = best;
        if (tokenIds.length > 0) yield { type: 'token-commit', row, position: 0, tokenIds, atMs: end.atMs };
      }
    }
    yield end;
  } finally {
    await forest[Symbol.asyncDispose]();
  }
}

const isOpen = ({ rowOutput }: OpenHypothesis): boolean => rowOutput.finishReason === undefined;

function firstFeed(row: number, hypotheses: readonly OpenHypothesis[]): Feed {
  const [first] = hypotheses as readonly [OpenHypothesis];
  return { row, parent: first.last, tokenIds: first.next, readers: hypotheses.filter(isOpen) };
}

function nextFeed(hypothesis: OpenHypothesis): Feed {
  return { row: hypothesis.row, parent: hypothesis.last, tokenIds: hypothesis.next, readers: [hypothesis] };
}
