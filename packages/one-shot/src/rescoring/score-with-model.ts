import {
  type AutoregressiveModel,
  assertAutoregressive,
  ForetokenError,
  logSumExp,
  NodeBatch,
  type OpenOptions,
  type TokenForest,
} from '@foretoken/core';
import { type CandidateTree, candidateTree } from './candidate-tree.js';

const NAME = 'rescoring';

/**
 * Natural-log probability of each candidate under an autoregressive model, its end token's included, in one forward: a
 * row's candidates are one tree, so what they share is computed once.
 *
 * `rows` holds each source's candidates as token ids without the end token, possibly none; the answer is `[candidates]` a
 * row, in the same order. `options.encoding` shares an encoding of the same sources. Throws `INVALID_ARGUMENT` (rows and
 * sources disagree, or a token is the end token or outside the vocabulary), `UNSUPPORTED_CAPABILITY` (the model scores no
 * whole vocabulary, or does not branch where candidates do), `LENGTH_LIMIT`, `RUNTIME_FAILURE` (a score is `NaN`), and whatever the model throws.
 */
export async function scoreWithModel<Source>(
  model: AutoregressiveModel<Source>,
  sources: readonly Source[],
  rows: readonly (readonly ArrayLike<number>[])[],
  options: OpenOptions = {},
): Promise<Float64Array[]> {
  options.signal?.throwIfAborted();
  assertCandidates(model, sources, rows);
  const trees = rows.map(candidateTree);
  const normalised =
    assertScoring(
      model,
      trees.some(({ branches }) => branches),
    ) === 'logProbs';
  if (rows.every(({ length }) => length === 0)) return rows.map(() => new Float64Array(0));
  const forest = await model.open(sources, options);
  try {
    const layout = layOut(forest, rows, trees, model.maxLength);
    const extension = normalised
      ? await forest.extend(layout.nodes, { kind: 'logProbs' }, options.signal)
      : await forest.extend(layout.nodes, { kind: 'logits' }, options.signal);
    const scores = extension.kind === 'logProbs' ? extension.logProbs : extension.logits;
    const { size, endTokenId } = model.vocabulary;
    return trees.map((tree, row) => {
      const { last, first } = layout.places[row] as Place;
      const after = (node: number): Float32Array => {
        const index = node < 0 ? last : first + node;
        return scores.subarray(index * size, (index + 1) * size);
      };
      return scoreTree(tree, endTokenId, after, normalised);
    });
  } finally {
    await forest[Symbol.asyncDispose]();
  }
}

/**
 * The output to score whole vocabularies by. Throws `UNSUPPORTED_CAPABILITY` where the model has none, or does not branch
 * where it must.
 */
export function assertScoring<Source>(model: AutoregressiveModel<Source>, branching: boolean): 'logProbs' | 'logits' {
  const output = model.supports?.outputs?.includes('logProbs') ? 'logProbs' : 'logits';
  assertAutoregressive(
    { name: NAME, requires: { model: 'autoregressive', outputs: [output], branching, rollback: false } },
    model,
  );
  return output;
}

/** Sums along the tree: a node's total is its parent's plus what the parent's scores give its token. */
function scoreTree(
  { tokenIds, parents, leaves }: CandidateTree,
  endTokenId: number,
  after: (node: number) => Float32Array,
  normalised: boolean,
): Float64Array {
  const normalisers = new Map<number, number>();
  const logProbOf = (node: number, tokenId: number): number => {
    const scores = after(node);
    let normaliser = normalised ? 0 : normalisers.get(node);
    if (normaliser === undefined) {
      normaliser = logSumExp(scores);
      normalisers.set(node, normaliser);
    }
    return (scores[tokenId] as number) - normaliser;
  };
  const totals = new Float64Array(tokenIds.length);
  for (let node = 0; node < tokenIds.length; node++) {
    const parent = parents[node] as number;
    totals[node] = (parent < 0 ? 0 : (totals[parent] as number)) + logProbOf(parent, tokenIds[node] as number);
  }
  return Float64Array.from(leaves, (leaf) => {
    const logProb = (leaf < 0 ? 0 : (totals[leaf] as number)) + logProbOf(leaf, endTokenId);
    if (Number.isNaN(logProb)) {
      throw new ForetokenError('RUNTIME_FAILURE', 'The model scored a candidate with NaN; a logarithm is required.');
    }
    return logProb;
  });
}

/** Where a row's scores are. */
interface Place {
  /** Those after the prefix. */
  readonly last: number;
  /** Those after the tree's first node. */
  readonly first: number;
}

/** The prefix of each row that has candidates, with their tree below it. */
function layOut(
  forest: TokenForest,
  rows: readonly (readonly ArrayLike<number>[])[],
  trees: readonly CandidateTree[],
  maxLength: number,
): { readonly nodes: NodeBatch; readonly places: readonly Place[] } {
  const nodes = new NodeBatch();
  const places = trees.map((tree, row): Place => {
    if (rows[row]?.length === 0) return { last: -1, first: -1 };
    const { prefix, cached, node } = forest.start(row);
    if (prefix.length + tree.depth > maxLength) {
      throw new ForetokenError(
        'LENGTH_LIMIT',
        `A candidate of row ${row} has ${tree.depth} tokens; at most ${maxLength - prefix.length} are possible.`,
        { row, received: tree.depth, most: maxLength - prefix.length },
      );
    }
    const last = nodes.scores;
    const above = nodes.addChain(row, node, prefix.subarray(cached), 'last');
    const handles: number[] = [];
    for (let index = 0; index < tree.tokenIds.length; index++) {
      const parent = tree.parents[index] as number;
      handles.push(nodes.add(row, parent < 0 ? above : (handles[parent] as number), tree.tokenIds[index] as number));
    }
    return { last, first: last + 1 };
  });
  return { nodes, places };
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
        const tokenId = candidate[position] as number;
        if (Number.isInteger(tokenId) && tokenId >= 0 && tokenId < size && tokenId !== endTokenId) continue;
        throw new ForetokenError(
          'INVALID_ARGUMENT',
          `A candidate of row ${row} holds token ${tokenId}; ids from 0 to ${size - 1} except the end token's, ` +
            `${endTokenId}, are required.`,
          { row, position, received: tokenId },
        );
      }
    }
  }
}
