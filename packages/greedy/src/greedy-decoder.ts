import {
  type AutoregressiveModel,
  assertAutoregressive,
  assertRequest,
  type DecodeEvent,
  type DecodeRequest,
  type Decoder,
  type NodeId,
  outputLimit,
  ROOT,
  RowOutput,
  type RowResult,
  type TokenForest,
  type TokenSource,
} from '@foretoken/core';

export interface GreedyOptions {
  /** Give every hypothesis its score, the sum of natural-log probabilities, end token included (default false). */
  readonly scores?: boolean;
}

/**
 * Greedy decoding: each next token is the most probable one, the lowest id among equals.
 *
 * Rows of a batch do not influence one another, and a finished row costs nothing in later forwards.
 */
export function greedy<Source = TokenSource>(options: GreedyOptions = {}): Decoder<AutoregressiveModel<Source>> {
  const scores = options.scores ?? false;
  const requires = {
    model: 'autoregressive',
    outputs: [scores ? 'topK' : 'argmax'],
    branching: false,
    rollback: false,
  } as const;
  return {
    name: 'greedy',
    contractVersion: 1,
    requires,
    async *decode(model: AutoregressiveModel<Source>, request: DecodeRequest<Source>) {
      const began = performance.now();
      assertRequest(request);
      assertAutoregressive({ name: 'greedy', requires }, model);
      const { sources, signal } = request;
      const forest = await model.open(sources, signal === undefined ? {} : { signal });
      try {
        yield* decodeForest(forest, model, request, scores, began);
      } finally {
        await forest[Symbol.asyncDispose]();
      }
    },
  };
}

/** One row between forwards: its output, its last node and the token that follows it. */
interface Row {
  readonly row: number;
  readonly output: RowOutput;
  last: NodeId;
  next: Int32Array;
  score: number;
}

async function* decodeForest<Source>(
  forest: TokenForest,
  model: AutoregressiveModel<Source>,
  request: DecodeRequest<Source>,
  scores: boolean,
  began: number,
): AsyncGenerator<DecodeEvent> {
  const { signal, stopSequences } = request;
  const rows: Row[] = [];
  for (let row = 0; row < forest.rows; row++) {
    const next = forest.prefix(row);
    const limit = outputLimit(model.maxLength, next.length, request);
    const output = new RowOutput(model.vocabulary.endTokenId, limit, stopSequences);
    rows.push({ row, output, last: ROOT, next, score: 0 });
  }
  let active = rows;
  let forwards = 0;
  while (active.length > 0) {
    signal?.throwIfAborted();
    const first = forest.nextNode;
    const nodes = newNodes(active, first);
    let chosen: Int32Array;
    let logProbs: Float32Array | undefined;
    if (scores) {
      const extension = await forest.extend(nodes, { kind: 'topK', k: 1 }, signal);
      chosen = extension.tokenIds;
      logProbs = extension.logProbs;
    } else {
      chosen = (await forest.extend(nodes, { kind: 'argmax' }, signal)).tokenIds;
    }
    forwards++;
    const atMs = performance.now() - began;
    let node = -1;
    let finished = false;
    for (const state of active) {
      node += state.next.length;
      state.last = first + node;
      state.score += logProbs?.[node] ?? 0;
      const position = state.output.length;
      const goesOn = state.output.push(chosen[node] as number);
      state.next = chosen.subarray(node, node + 1);
      if (state.output.length > position) {
        yield { type: 'token-commit', row: state.row, position, tokenIds: state.next.slice(), atMs };
      }
      if (!goesOn) {
        forest.finish(state.row);
        finished = true;
      }
    }
    if (finished) active = active.filter(({ output }) => output.finishReason === undefined);
  }
  const results = rows.map(
    ({ row, output, score }): RowResult => ({ row, hypotheses: [output.hypothesis(scores ? score : undefined)] }),
  );
  const tokens = rows.reduce((sum, { output }) => sum + output.length, 0);
  const totalMs = performance.now() - began;
  const statistics = { forwards, draftForwards: 0, tokens, proposed: 0, evaluated: 0, accepted: 0, totalMs };
  yield { type: 'decode-end', results, statistics, atMs: totalMs };
}

/** Each active row's next tokens, as a chain below its last node. */
function newNodes(active: readonly Row[], first: NodeId) {
  const count = active.reduce((sum, { next }) => sum + next.length, 0);
  const row = new Int32Array(count);
  const parent = new Int32Array(count);
  const tokenId = new Int32Array(count);
  let node = 0;
  for (const state of active) {
    for (let index = 0; index < state.next.length; index++, node++) {
      row[node] = state.row;
      parent[node] = index === 0 ? state.last : first + node - 1;
      tokenId[node] = state.next[index] as number;
    }
  }
  return { row, parent, tokenId };
}
