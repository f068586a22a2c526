import {
  type AutoregressiveModel,
  type ChainScoring,
  type DecodeEvent,
  type DecodeRequest,
  decodeEnd,
  type Extension,
  NodeBatch,
  type NodeId,
  nodeIdOf,
  type OutputRequest,
  outputLimit,
  type RowStart,
  rowResult,
  type ScoreProcessor,
  startOutput,
  type TopKExtension,
  topK,
} from '@foretoken/core';
import { type Branch, type RowSearch, type ScoredBranch, SearchOver } from './branch.js';

/** How a search over the token trees of a request runs; made for one decode. */
export interface Search<Source> {
  /** Checked. */
  readonly request: DecodeRequest<Source>;
  /** Starts the search of a row; `forced` is what the output begins with, `limit` the most output tokens. */
  start(row: number, start: RowStart, forced: readonly number[], limit: number): RowSearch;
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
  prepare: () => Search<Source>,
  began: number,
): AsyncGenerator<DecodeEvent, void, undefined> {
  const search = prepare();
  const { request } = search;
  const { sources, signal } = request;
  const forest = await model.open(sources, signal === undefined ? {} : { signal });
  try {
    const output: OutputRequest = search.states
      ? { kind: 'topK', k: search.candidates, states: true }
      : search.all || search.rules.length > 0 || search.candidates > model.supports.maxCandidates
        ? { kind: 'logProbs' }
        : { kind: 'topK', k: search.candidates };
    const rows = Array.from({ length: forest.rows }, (_, row): Row => {
      const start = forest.start(row);
      const { prefix } = start;
      const output = startOutput(row, prefix.length, model, request, search.minNewTokens);
      const limit = outputLimit(model.maxLength, prefix.length, request);
      const rowSearch =
        output.finishReason === undefined ? search.start(row, start, output.tokens, limit) : new SearchOver(output);
      return { row, prefix, search: rowSearch, committed: 0 };
    });
    const nodes = new NodeBatch();
    // The states of all new nodes are compared with, the scores of a branch's last one alone.
    const scoring = search.states ? 'all' : 'last';
    let forwards = 0;
    let active = rows.filter(({ search: { running } }) => running.length > 0);
    for (const row of rows) if (!active.includes(row)) forest.finish(row.row);
    while (active.length > 0) {
      request.signal?.throwIfAborted();
      nodes.clear();
      const leaves = active.map(({ row, search: { running } }) => layOut(nodes, row, running, scoring));
      const extension = await forest.extend(nodes, output, request.signal);
      forwards++;
      const read = reader(extension, search, model.vocabulary.size);
      let scores = 0;
      for (const [index, { row, prefix, search: rowSearch }] of active.entries()) {
        const handles = leaves[index] as readonly number[];
        const scored = rowSearch.running.map((branch, place): ScoredBranch => {
          scores += scoring === 'all' ? branch.next.length : 1;
          const leaf = nodeIdOf(handles[place] as number, extension.firstNode);
          const context = { row, prefix, output: branch.output };
          return { branch, leaf, ...read(scores - 1, branch.next.length, context) };
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
    const results = rows.map(({ row, search }) => rowResult(row, search.hypotheses()));
    const end = decodeEnd(results, began, { forwards });
    for (const [index, row] of rows.entries()) yield* commit(row, [...(results[index]?.best.tokenIds ?? [])], end.atMs);
    yield end;
  } finally {
    await forest[Symbol.asyncDispose]();
  }
}

/** Adds the next tokens of a row's branches, as chains below their nodes; returns the handle of each branch's last. */
function layOut(nodes: NodeBatch, row: number, running: readonly Branch[], scoring: ChainScoring): readonly number[] {
  return running.map(({ parent, next }) => nodes.addChain(row, parent, next, scoring));
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
  extension: Extension,
  { rules, candidates: count, all }: Search<unknown>,
  vocabularySize: number,
): (score: number, added: number, context: Context) => Scores {
  if (extension.kind === 'logProbs') {
    return (score, _added, context) => {
      const logProbs = extension.logProbs.subarray(score * vocabularySize, (score + 1) * vocabularySize);
      for (const rule of rules) rule(logProbs, context);
      const tokenIds = topK(logProbs, count);
      const candidates = { tokenIds, logProbs: Float32Array.from(tokenIds, (id) => logProbs[id] as number) };
      return all ? { candidates, logProbs } : { candidates };
    };
  }
  const { tokenIds, logProbs, k, states } = extension as TopKExtension;
  const width = (states?.length ?? 0) / (tokenIds.length / k);
  return (score, added) => ({
    candidates: {
      tokenIds: tokenIds.subarray(score * k, (score + 1) * k),
      logProbs: logProbs.subarray(score * k, (score + 1) * k),
    },
    ...(states === undefined ? {} : { states: states.subarray((score - added + 1) * width, (score + 1) * width) }),
  });
}

/** Nodes that running branches stand on, each once. */
function leavesOf(running: readonly Branch[]): NodeId[] {
  return [...new Set(running.map(({ parent }) => parent))];
}
