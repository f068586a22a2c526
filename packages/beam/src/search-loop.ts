import {
  type AutoregressiveModel,
  type DecodeEvent,
  type DecodeRequest,
  type Extension,
  type NodeId,
  type OutputRequest,
  outputLimit,
  type RowResult,
  type ScoreProcessor,
  startOutput,
  topK,
} from '@foretoken/core';
import { type Branch, type RowSearch, type ScoredBranch, SearchOver } from './branch.js';

/** How a search over the token trees of a request runs; made for one decode. */
export interface Search {
  /** Starts the search of a row; `forced` is what the output begins with, `limit` the most output tokens. */
  start(row: number, prefix: Int32Array, forced: readonly number[], limit: number): RowSearch;
  /** Least output tokens, which every row must have room for. */
  readonly minNewTokens: number;
  /** Candidates a branch needs. */
  readonly candidates: number;
  /** It also needs the scores of the whole vocabulary. */
  readonly all: boolean;
  /** It also needs hidden states; rules are not applied then. */
  readonly states?: boolean;
  readonly rules: readonly ScoreProcessor[];
}

interface Row {
  readonly row: number;
  readonly prefix: Int32Array;
  readonly search: RowSearch;
  committed: number;
}

/**
 * Searches all rows together, one forward for every step of every row: branches are leaves of one token tree a row, so a
 * reorder copies nothing, shared beginnings are stored once, and what no branch stands on is released at once.
 */
export async function* searchRows<Source>(
  model: AutoregressiveModel<Source>,
  request: DecodeRequest<Source>,
  prepare: () => Search,
  began: number,
): AsyncGenerator<DecodeEvent, void, undefined> {
  const search = prepare();
  const { sources, signal } = request;
  const forest = await model.open(sources, signal === undefined ? {} : { signal });
  try {
    const output: OutputRequest = search.states
      ? { kind: 'topKWithStates', k: search.candidates }
      : search.all || search.rules.length > 0 || search.candidates > model.supports.maxCandidates
        ? { kind: 'logProbs' }
        : { kind: 'topK', k: search.candidates };
    const rows = Array.from({ length: forest.rows }, (_, row): Row => {
      const prefix = forest.prefix(row);
      const output = startOutput(row, prefix.length, model, request, search.minNewTokens);
      const limit = outputLimit(model.maxLength, prefix.length, request);
      const rowSearch =
        output.finishReason === undefined ? search.start(row, prefix, output.tokens, limit) : new SearchOver(output);
      return { row, prefix, search: rowSearch, committed: 0 };
    });
    let forwards = 0;
    let active = rows.filter(({ search: { running } }) => running.length > 0);
    for (const row of rows) if (!active.includes(row)) forest.finish(row.row);
    while (active.length > 0) {
      request.signal?.throwIfAborted();
      const first = forest.nextNode;
      const nodes = newNodes(active, first);
      const extension = await forest.extend(nodes, output, request.signal);
      forwards++;
      const read = reader(extension, output, search, model.vocabulary.size);
      let node = -1;
      for (const { row, prefix, search: rowSearch } of active) {
        const scored = rowSearch.running.map((branch): ScoredBranch => {
          node += branch.next.length;
          const context = { row, prefix, output: branch.output };
          return { branch, leaf: first + node, ...read(node, branch.next.length, context) };
        });
        rowSearch.step(scored);
        if (rowSearch.running.length === 0) forest.finish(row);
        else forest.retain(row, leavesOf(rowSearch.running));
      }
      const atMs = performance.now() - began;
      for (const row of active) {
        yield* commit(row, row.search.settled(), atMs);
        const tokenIds = Int32Array.from(row.search.provisional());
        if (row.search.running.length > 0) yield { type: 'canvas-revise', row: row.row, tokenIds, atMs };
      }
      active = active.filter(({ search: { running } }) => running.length > 0);
    }
    const results = rows.map(({ row, search }): RowResult => ({ row, hypotheses: search.hypotheses() }));
    const totalMs = performance.now() - began;
    for (const row of rows) yield* commit(row, [...(results[row.row]?.hypotheses[0]?.tokenIds ?? [])], totalMs);
    const tokens = results.reduce((sum, { hypotheses }) => sum + (hypotheses[0]?.tokenIds.length ?? 0), 0);
    const statistics = { forwards, draftForwards: 0, tokens, proposed: 0, evaluated: 0, accepted: 0, totalMs };
    yield { type: 'decode-end', results, statistics, atMs: totalMs };
  } finally {
    await forest[Symbol.asyncDispose]();
  }
}

/** Commits what is settled beyond what was committed before. */
function* commit(row: Row, settled: readonly number[], atMs: number): Generator<DecodeEvent> {
  if (settled.length <= row.committed) return;
  const tokenIds = Int32Array.from(settled.slice(row.committed));
  yield { type: 'token-commit', row: row.row, position: row.committed, tokenIds, atMs };
  row.committed = settled.length;
}

type Context = Parameters<ScoreProcessor>[1];
type Scores = Pick<ScoredBranch, 'candidates' | 'logProbs' | 'states'>;

/** Reads the continuations of a new node out of an extension. */
function reader(
  extension: Extension<OutputRequest>,
  output: OutputRequest,
  { rules, candidates: count, all }: Search,
  vocabularySize: number,
): (node: number, added: number, context: Context) => Scores {
  if ('logProbs' in extension && output.kind === 'logProbs') {
    return (node, _added, context) => {
      const logProbs = extension.logProbs.subarray(node * vocabularySize, (node + 1) * vocabularySize);
      for (const rule of rules) rule(logProbs, context);
      const tokenIds = topK(logProbs, count);
      const candidates = { tokenIds, logProbs: Float32Array.from(tokenIds, (id) => logProbs[id] as number) };
      return all ? { candidates, logProbs } : { candidates };
    };
  }
  const { tokenIds, logProbs, k } = extension as Extension<{ kind: 'topK'; k: number }>;
  const states = 'states' in extension ? extension.states : undefined;
  const width = (states?.length ?? 0) / (tokenIds.length / k);
  return (node, added) => ({
    candidates: {
      tokenIds: tokenIds.subarray(node * k, (node + 1) * k),
      logProbs: logProbs.subarray(node * k, (node + 1) * k),
    },
    ...(states === undefined ? {} : { states: states.subarray((node - added + 1) * width, (node + 1) * width) }),
  });
}

/** Nodes that running branches stand on, each once. */
function leavesOf(running: readonly Branch[]): NodeId[] {
  return [...new Set(running.map(({ parent }) => parent))];
}

/** The next tokens of every running branch, as chains below their nodes. */
function newNodes(active: readonly Row[], first: NodeId) {
  const branches = active.flatMap(({ row, search }) => search.running.map((branch) => ({ row, ...branch })));
  const count = branches.reduce((sum, { next }) => sum + next.length, 0);
  const nodes = { row: new Int32Array(count), parent: new Int32Array(count), tokenId: new Int32Array(count) };
  let node = 0;
  for (const { row, parent, next } of branches) {
    for (let index = 0; index < next.length; index++, node++) {
      nodes.row[node] = row;
      nodes.parent[node] = index === 0 ? parent : first + node - 1;
      nodes.tokenId[node] = next[index] as number;
    }
  }
  return nodes;
}
