import {
  type AutoregressiveModel,
  ForetokenError,
  type OpenOptions,
  type TokenForest,
  type Vocabulary,
} from '@foretoken/core';
import {
  assertAutoregressive,
  assertScores,
  checkOptions,
  lengthOf,
  listOf,
  logSumExp,
  NodeBatch,
  type OptionReader,
  type OptionTable,
  opened,
  sources as readSources,
  show,
  signal,
  withMethods,
  wrongValue,
  Yielder,
} from '@foretoken/core/kit';
import { type ScoringUnit, scoringParts, unitOf } from './scoring-parts.js';

const NAME = 'rescoring';

/**
 * Natural-log probability of each candidate under an autoregressive model, its end token's included: a row's candidates are one
 * tree, so what they share is computed once, and all rows are one forward where that is of bounded size.
 *
 * `rows` holds each source's candidates as token ids without the end token, possibly none; the answer is `[candidates]` a
 * row, in the same order. `options.encoding` shares an encoding of the same sources; where it takes several forwards and the
 * encoding has no `part`, each encodes its own sources. Throws `INVALID_ARGUMENT` (rows and sources disagree, or a token is the end token or outside the
 * vocabulary), `UNSUPPORTED_CAPABILITY` (the model scores no whole vocabulary, or does not branch where candidates do),
 * `LENGTH_LIMIT`, `INVALID_SCORES`, and whatever the model throws.
 */
export async function scoreWithModel<Source>(
  model: AutoregressiveModel<Source>,
  sources: readonly Source[],
  rows: readonly (readonly ArrayLike<number>[])[],
  options: OpenOptions = {},
): Promise<Float64Array[]> {
  const checked = checkOptions('scoreWithModel', options, OPTIONS);
  checked.signal?.throwIfAborted();
  assertScoring(model, false);
  return (await scoreInParts(model, readSources('sources', sources), readRows('rows', rows), checked)).logProbs;
}

const OPTIONS: OptionTable<OpenOptions> = { encoding: withMethods('a source encoding', 'dispose'), signal };

const readCandidate: OptionReader<ArrayLike<number>> = (name, value) => {
  if (lengthOf(value) !== undefined || (ArrayBuffer.isView(value) && 'length' in value)) return value as Int32Array;
  throw wrongValue(name, value, 'an array of token ids');
};

const readRows: OptionReader<readonly (readonly ArrayLike<number>[])[]> = listOf(listOf(readCandidate));

/** What `scoreWithModel` answers, and the forwards that it took. */
export interface ScoredRows {
  readonly logProbs: Float64Array[];
  readonly forwards: number;
}

/**
 * As `scoreWithModel`; `firstRow` is the first source's row, for errors. Where `skipsLong`, a candidate that the model has no
 * positions for has the log-probability `-Infinity`, and `LENGTH_LIMIT` is thrown for a row of none but such.
 */
export async function scoreInParts<Source>(
  model: AutoregressiveModel<Source>,
  sources: readonly Source[],
  rows: readonly (readonly ArrayLike<number>[])[],
  options: OpenOptions,
  firstRow: number = 0,
  skipsLong: boolean = false,
): Promise<ScoredRows> {
  const { signal } = options;
  signal?.throwIfAborted();
  assertCandidates(model, sources, rows);
  const yielder = new Yielder(signal);
  const parts = await yielder.run(scoringParts(rows, model.vocabulary.size));
  const kind = assertScoring(
    model,
    parts.flat().some(({ tree }) => tree.branches),
  );
  const logProbs = rows.map(({ length }) => new Float64Array(length).fill(Number.NEGATIVE_INFINITY));
  const [first = []] = parts;
  const whole = parts.length === 1 && new Set(first.map(({ row }) => row)).size === first.length;
  for (const units of parts) {
    signal?.throwIfAborted();
    const forest = opened(
      'autoregressive',
      await (whole ? model.open(sources, options) : openRows(model, sources, units, options)),
    );
    try {
      const placed = units
        .map((unit, index) => ({ unit, forestRow: whole ? unit.row : index }))
        .map((one) => (skipsLong ? withoutLong(forest, one, model.maxLength, rows) : one))
        .filter(({ unit: { candidates } }) => candidates.length > 0);
      if (placed.length === 0) continue;
      const { nodes, begins } = layOut(forest, placed, model.maxLength, firstRow);
      const extension = await forest.extend(nodes, { kind }, signal);
      const scores = extension.kind === 'logProbs' ? extension.logProbs : extension.logits;
      for (const [index, { unit }] of placed.entries()) {
        const named = { ...unit, row: firstRow + unit.row };
        const totals = await yielder.run(scoreUnit(named, scores, begins[index], kind, model.vocabulary));
        for (const [at, candidate] of unit.candidates.entries()) {
          logProbs[unit.row][candidate] = totals[at];
        }
      }
    } finally {
      await forest[Symbol.asyncDispose]();
    }
  }
  return { logProbs, forwards: parts.length };
}

/**
 * The output to score whole vocabularies by. Throws `UNSUPPORTED_CAPABILITY` where the model has none, or does not branch
 * where it must.
 */
export function assertScoring<Source>(model: AutoregressiveModel<Source>, branching: boolean): 'logProbs' | 'logits' {
  const requires = { model: 'autoregressive', outputs: [], branching, rollback: false } as const;
  assertAutoregressive({ name: NAME, requires }, model);
  const output = model.supports.outputs.includes('logProbs') ? 'logProbs' : 'logits';
  assertAutoregressive({ name: NAME, requires: { ...requires, outputs: [output] } }, model);
  return output;
}

/** A forest of the rows of these units, with their part of the encoding where there is such a thing. */
async function openRows<Source>(
  model: AutoregressiveModel<Source>,
  sources: readonly Source[],
  units: readonly ScoringUnit[],
  { encoding: shared, signal }: OpenOptions,
): Promise<TokenForest> {
  const rows = units.map(({ row }) => row);
  const encoding = shared?.part?.(rows);
  try {
    return await model.open(
      rows.map((row) => sources[row]),
      { encoding, signal },
    );
  } finally {
    encoding?.dispose();
  }
}

/**
 * Sums along the tree, `[candidates]`: a node's total is its parent's plus what the parent's scores give its token. The unit's
 * scores `[nodes + 1, vocab]` begin at row `begin` with those after the prefix. Yields after each node.
 */
function* scoreUnit(
  { row, tree: { tokenIds, parents, leaves } }: ScoringUnit,
  scores: Float32Array,
  begin: number,
  kind: 'logProbs' | 'logits',
  { size, endTokenId }: Vocabulary,
): Generator<undefined, Float64Array> {
  const depths = new Int32Array(tokenIds.length);
  const depthOf = (node: number): number => (node < 0 ? 0 : depths[node]);
  const normalisers = new Map<number, number>();
  const logProbAfter = (node: number, tokenId: number): number => {
    const after = scores.subarray((begin + node + 1) * size, (begin + node + 2) * size);
    if (kind === 'logProbs') {
      assertScores(after, row, depthOf(node), tokenId, tokenId + 1);
      return after[tokenId];
    }
    let normaliser = normalisers.get(node);
    if (normaliser === undefined) {
      assertScores(after, row, depthOf(node));
      normaliser = logSumExp(after);
      normalisers.set(node, normaliser);
    }
    // A node after which nothing is possible has nothing to share out.
    return normaliser === Number.NEGATIVE_INFINITY ? normaliser : after[tokenId] - normaliser;
  };
  const totals = new Float64Array(tokenIds.length);
  const totalOf = (node: number): number => (node < 0 ? 0 : totals[node]);
  for (let node = 0; node < tokenIds.length; node++) {
    const parent = parents[node];
    depths[node] = depthOf(parent) + 1;
    totals[node] = totalOf(parent) + logProbAfter(parent, tokenIds[node]);
    yield;
  }
  const logProbs = new Float64Array(leaves.length);
  for (const [index, leaf] of leaves.entries()) {
    logProbs[index] = totalOf(leaf) + (endTokenId === undefined ? 0 : logProbAfter(leaf, endTokenId));
    yield;
  }
  return logProbs;
}

interface Placed {
  readonly unit: ScoringUnit;
  readonly forestRow: number;
}

/** A unit without the candidates that there is no room for, unless there is room for none of its row's. */
function withoutLong(
  forest: TokenForest,
  { unit, forestRow }: Placed,
  maxLength: number,
  rows: readonly (readonly ArrayLike<number>[])[],
): Placed {
  const room = maxLength - forest.start(forestRow).prefix.length;
  const outputs = rows[unit.row];
  if (unit.tree.depth <= room || outputs.every(({ length }) => length > room)) return { unit, forestRow };
  const fits = (candidate: number): boolean => outputs[candidate].length <= room;
  return { unit: unitOf(unit.row, outputs, unit.candidates.filter(fits)), forestRow };
}

/** The prefix of each unit with its tree below it, and the row of scores where each begins, that after the prefix. */
function layOut(
  forest: TokenForest,
  placed: readonly Placed[],
  maxLength: number,
  firstRow: number,
): { readonly nodes: NodeBatch; readonly begins: readonly number[] } {
  const nodes = new NodeBatch();
  const begins = placed.map(({ unit: { row, tree }, forestRow }): number => {
    const { prefix, cached, node } = forest.start(forestRow);
    if (prefix.length + tree.depth > maxLength) {
      throw new ForetokenError(
        'LENGTH_LIMIT',
        `A candidate of row ${firstRow + row} has ${tree.depth} tokens; at most ${maxLength - prefix.length} are possible.`,
        { row: firstRow + row, received: tree.depth, max: maxLength - prefix.length },
      );
    }
    const begin = nodes.scores;
    const above = nodes.addChain(forestRow, node, prefix.subarray(cached), 'last');
    const handles: number[] = [];
    for (let index = 0; index < tree.tokenIds.length; index++) {
      const parent = tree.parents[index];
      handles.push(nodes.add(forestRow, parent < 0 ? above : handles[parent], tree.tokenIds[index]));
    }
    return begin;
  });
  return { nodes, begins };
}

function assertCandidates<Source>(
  { vocabulary: { size, endTokenId } }: AutoregressiveModel<Source>,
  sources: readonly Source[],
  rows: readonly (readonly ArrayLike<number>[])[],
): void {
  if (rows.length !== sources.length) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `There are candidates of ${rows.length} rows for ${sources.length} sources; one entry each is required.`,
      { received: rows.length, required: sources.length },
    );
  }
  for (const [row, candidates] of rows.entries()) {
    for (const candidate of candidates) {
      for (let position = 0; position < candidate.length; position++) {
        const tokenId = candidate[position];
        if (Number.isInteger(tokenId) && tokenId >= 0 && tokenId < size && tokenId !== endTokenId) continue;
        throw new ForetokenError(
          'INVALID_ARGUMENT',
          `A candidate of row ${row} holds token ${show(tokenId)}; ids from 0 to ${size - 1}` +
            `${endTokenId === undefined ? '' : ` except the end token's, ${endTokenId},`} are required.`,
          { row, position, received: tokenId },
        );
      }
    }
  }
}
