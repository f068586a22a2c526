import type {
  AutoregressiveModel,
  DecodeEvent,
  DecodeRequest,
  Extension,
  NodeId,
  OptionalField,
  OutputRequest,
  ScoreProcessor,
  SearchBranch,
  TopKExtension,
} from '@foretoken/core';
import {
  assertInteger,
  assertScores,
  type ChainScoring,
  decodeEnd,
  NodeBatch,
  nodeIdOf,
  opened,
  ROOT,
  rowResult,
  startOutput,
  topK,
  Yielder,
} from '@foretoken/core/kit';
import { Branch, type RowSearch, type ScoredBranch, SearchOver, type SearchStart, sharedLength } from './branch.js';

/** What its strategies can use of a request. */
export const ACCEPTS: readonly OptionalField[] = ['outputPrefixes', 'minNewTokens'];

/** How a search over the token trees of a request runs; made for one decode. */
export interface Search<Source> {
  /** Checked. */
  readonly request: DecodeRequest<Source>;
  /** Starts the search of a row. */
  start(from: SearchStart): RowSearch;
  /** Candidates a branch needs. */
  readonly candidates: number;
  /** It also needs the scores of the whole vocabulary. */
  readonly all: boolean;
  /** It also needs hidden states; rules are not applied then. */
  readonly states?: boolean | undefined;
  readonly rules: readonly ScoreProcessor[];
  /** Report what the model alone says of each token. */
  readonly tokenLogProbs?: boolean | undefined;
  /** Tell of all hypotheses with each revision. */
  readonly branches?: boolean | undefined;
}

interface Row {
  readonly row: number;
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
  const { forcedTokens = 0 } = model;
  assertInteger('model.forcedTokens', forcedTokens, 0, Number.MAX_SAFE_INTEGER);
  const forest = opened('autoregressive', await model.open(sources, { signal, sharing: search.states !== true }));
  try {
    const output: OutputRequest = search.states
      ? { kind: 'topK', k: search.candidates, states: true }
      : search.all || search.rules.length > 0 || search.candidates > model.supports.maxCandidates
        ? { kind: 'logProbs' }
        : { kind: 'topK', k: search.candidates };
    const rows = Array.from({ length: forest.rows }, (_, row): Row => {
      const start = forest.start(row);
      const { prefix } = start;
      const output = startOutput(row, prefix.length, model, request);
      // What is compared with the states of all tokens before it reads those that are cached too.
      const root = Branch.root(row, search.states ? { prefix, cached: 0, node: ROOT } : start, output);
      const { finishReason, bounds } = output;
      const given = root.length - Math.min(forcedTokens, prefix.length - 1 + root.length);
      const rowSearch =
        finishReason === undefined
          ? search.start({ root, bounds, given })
          : new SearchOver(root, output, search.tokenLogProbs ?? false);
      return { row, search: rowSearch, committed: 0 };
    });
    const nodes = new NodeBatch();
    const yielder = new Yielder(signal);
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
      for (const [index, { row, search: rowSearch }] of active.entries()) {
        const handles = leaves[index];
        const scored: ScoredBranch[] = [];
        for (const [place, branch] of rowSearch.running.entries()) {
          scores += scoring === 'all' ? branch.next.length : 1;
          const leaf = nodeIdOf(handles[place], extension.firstNode);
          scored.push({ branch, leaf, ...read(scores - 1, branch) });
          if (yielder.due()) await yielder.yield();
        }
        await yielder.run(rowSearch.step(scored));
        if (rowSearch.running.length === 0) forest.finish(row);
        else forest.retain(row, leavesOf(rowSearch.running));
        if (yielder.due()) await yielder.yield();
      }
      const atMs = performance.now() - began;
      for (const row of active) {
        const standing = row.search.standing();
        const settled = sharedLength(standing, row.committed);
        yield* commit(row, standing[0].tokenIds(row.committed, settled), atMs);
        if (row.search.running.length === 0) continue;
        const tokenIds = row.search.provisional().tokenIds();
        const branches = search.branches === true ? branchesOf(standing, row.search.running) : undefined;
        yield { type: 'canvas-revise', row: row.row, tokenIds, branches, atMs };
      }
      active = active.filter(({ search: { running } }) => running.length > 0);
    }
    const results = rows.map(({ row, search }) => rowResult(row, search.hypotheses()));
    const end = decodeEnd(results, began, { forwards });
    for (const [index, row] of rows.entries()) {
      yield* commit(row, results[index]?.best.tokenIds.slice(row.committed) ?? new Int32Array(), end.atMs);
    }
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
function* commit(row: Row, tokenIds: Int32Array, atMs: number): Generator<DecodeEvent> {
  if (tokenIds.length === 0) return;
  yield { type: 'token-commit', row: row.row, position: row.committed, tokenIds, atMs };
  row.committed += tokenIds.length;
}

type Scores = Pick<ScoredBranch, 'candidates' | 'logProbs' | 'modelLogProb' | 'states'>;

/** Reads the continuations of a branch out of an extension; `score` is the place of its last new node's. */
function reader(
  extension: Extension,
  { rules, candidates: count, all, tokenLogProbs }: Search<unknown>,
  vocabularySize: number,
): (score: number, branch: Branch) => Scores {
  if (extension.kind === 'logProbs') {
    return (score, branch) => {
      const logProbs = extension.logProbs.subarray(score * vocabularySize, (score + 1) * vocabularySize);
      assertScores(logProbs, branch.row, branch.length);
      // Rules change the scores in place.
      const before = tokenLogProbs && rules.length > 0 ? logProbs.slice() : logProbs;
      const modelLogProb = tokenLogProbs ? (tokenId: number) => before[tokenId] : undefined;
      for (const rule of rules) rule(logProbs, branch);
      if (rules.length > 0) assertScores(logProbs, branch.row, branch.length);
      const tokenIds = topK(logProbs, count);
      const candidates = { tokenIds, logProbs: Float32Array.from(tokenIds, (id) => logProbs[id]) };
      return { candidates, logProbs: all ? logProbs : undefined, modelLogProb };
    };
  }
  const { tokenIds, logProbs, k, states } = extension as TopKExtension;
  const width = (states?.length ?? 0) / (tokenIds.length / k);
  return (score, { row, length, next }) => {
    assertScores(logProbs, row, length, score * k, (score + 1) * k);
    // Best first, so what is impossible stands at the end.
    let end = score * k;
    while (end < (score + 1) * k && logProbs[end] > Number.NEGATIVE_INFINITY) end++;
    const candidates = { tokenIds: tokenIds.subarray(score * k, end), logProbs: logProbs.subarray(score * k, end) };
    const modelLogProb = tokenLogProbs
      ? (tokenId: number) => candidates.logProbs[candidates.tokenIds.indexOf(tokenId)]
      : undefined;
    if (states === undefined) return { candidates, modelLogProb };
    return { candidates, states: states.subarray((score - next.length + 1) * width, (score + 1) * width) };
  };
}

/** What a search keeps, as events tell it. */
function branchesOf(standing: readonly Branch[], running: readonly Branch[]): SearchBranch[] {
  return standing.map((branch) => ({
    tokenIds: branch.tokenIds(),
    logProb: branch.logProb,
    finished: !running.includes(branch),
  }));
}

/** Nodes that running branches stand on, each once. */
function leavesOf(running: readonly Branch[]): NodeId[] {
  return [...new Set(running.map(({ parent }) => parent))];
}
