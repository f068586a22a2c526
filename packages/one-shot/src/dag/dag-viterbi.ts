import { type DecodeRequest, type Decoder, ForetokenError, type LatticeModel, type TokenSource } from '@foretoken/core';
import { argmax, checkOptions, integer, number, type OptionTable, ofRow } from '@foretoken/core/kit';
import { candidateOf, DAG_OPTIONS, type DagOptions, type DagSearch, dagDecoder } from './dag-decoder.js';
import type { DagGraph } from './dag-graph.js';
import { withBestTokens } from './dag-walk.js';
import { type StopViterbi, viterbiPaths } from './viterbi-paths.js';

/** Options of `dagViterbi`. */
export interface DagViterbiOptions extends DagOptions {
  /**
   * Exponent of the path's length that its log-probability is divided by, to compare the best paths of all lengths
   * (default 1): 0 ranks by plain log-probability, more favours longer paths. Not together with `length`.
   */
  readonly lengthPenalty?: number | undefined;
  /** Vertices of the path, those that say a start or end token counted. Default: `lengths` of the request, or any. */
  readonly length?: number | undefined;
}

const OPTIONS: OptionTable<DagViterbiOptions> = { ...DAG_OPTIONS, lengthPenalty: number(-10, 10), length: integer(1) };

/**
 * Viterbi decoding of a DAG lattice: the most probable path by its edges alone, of a given length or after a length penalty,
 * then the most probable token at each vertex (Shao et al., 2022, "Viterbi decoding of directed acyclic transformer",
 * section 3). `dagJointViterbi` optimises both together.
 *
 * A hypothesis' `score` is the path's natural-log probability divided by the penalty, `logProb` that of path and tokens.
 * Throws `INVALID_ARGUMENT`; while decoding also `UNSATISFIABLE_CONSTRAINT` where no path has the length asked for.
 */
export function dagViterbi<Source = TokenSource>(options: DagViterbiOptions = {}): Decoder<LatticeModel<Source>> {
  return viterbi(
    'dag-viterbi',
    checkOptions('dagViterbi', options, OPTIONS),
    ({ vertices }) => new Float64Array(vertices),
  );
}

/**
 * Joint Viterbi decoding of a DAG lattice: the path and tokens that are most probable together, of a given length or after a
 * length penalty (Shao et al., 2022, section 3).
 *
 * A hypothesis' `score` is that natural-log probability divided by the penalty, `logProb` without it. Throws as `dagViterbi`.
 */
export function dagJointViterbi<Source = TokenSource>(options: DagViterbiOptions = {}): Decoder<LatticeModel<Source>> {
  return viterbi(
    'dag-joint-viterbi',
    checkOptions('dagJointViterbi', options, OPTIONS),
    ({ bestLogProbs }) => bestLogProbs,
  );
}

function viterbi<Source>(
  name: string,
  options: DagViterbiOptions,
  vertexScores: (graph: DagGraph) => ArrayLike<number>,
): Decoder<LatticeModel<Source>> {
  const { lengthPenalty, length } = options;
  if (length !== undefined && lengthPenalty !== undefined) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `lengthPenalty compares paths of different lengths, but length ${String(length)} allows one. Leave one of them out.`,
      { option: 'lengthPenalty', received: lengthPenalty },
    );
  }
  return dagDecoder({
    name,
    options,
    accepts: ['lengths'],
    prepare: (_model, { lengths }: DecodeRequest<Source>): DagSearch => {
      if (lengths !== undefined && (length !== undefined || lengthPenalty !== undefined)) throw twice(lengths);
      return function* ({ graph, row }) {
        const wanted = ofRow(lengths, row) ?? length;
        const vertexPart = vertexScores(graph);
        if (wanted === undefined) {
          const penalty = lengthPenalty ?? 1;
          const paths = yield* viterbiPaths(graph, vertexPart, graph.vertices, nothingBetter(penalty, graph.vertices));
          const ranks = ranksOf(paths.scores, penalty);
          const best = argmax(ranks);
          return [candidateOf(withBestTokens(graph, paths.path(best)), ranks[best])];
        }
        const paths = yield* viterbiPaths(graph, vertexPart, Math.min(wanted, graph.vertices));
        const score = paths.scores[wanted] ?? Number.NEGATIVE_INFINITY;
        if (score === Number.NEGATIVE_INFINITY) throw noPath(row, wanted, graph.vertices);
        return [candidateOf(withBestTokens(graph, paths.path(wanted)), score)];
      };
    },
  });
}

/** Sums divided by the penalty, by length. */
function ranksOf(scores: Float64Array, lengthPenalty: number): Float64Array {
  const ranks = scores.map((score, length) => score / length ** lengthPenalty);
  // A path has at least one vertex; the quotient for none is not a number to compare.
  ranks[0] = Number.NEGATIVE_INFINITY;
  return ranks;
}

/** Sums are rounded differently forwards and backwards; a bound this much wider, relatively, is one all the same. */
const ROUNDING = 1e-6;

/** By the length that a sum is divided by, the best that can become of a bound on all longer paths is at one end. */
function nothingBetter(lengthPenalty: number, max: number): StopViterbi {
  let best = Number.NEGATIVE_INFINITY;
  return (scores, length, bound) => {
    best = Math.max(best, scores[length] / length ** lengthPenalty);
    if (bound === Number.NEGATIVE_INFINITY) return true;
    const sum = bound + ROUNDING * (1 + Math.abs(bound));
    return Math.max(sum / (length + 1) ** lengthPenalty, sum / max ** lengthPenalty) < best;
  };
}

function twice(received: number | readonly number[]): ForetokenError {
  return new ForetokenError(
    'INVALID_ARGUMENT',
    'The request has lengths, but the strategy was given length or lengthPenalty too. Leave one of them out.',
    { option: 'lengths', received },
  );
}

function noPath(row: number, length: number, vertices: number): ForetokenError {
  return new ForetokenError(
    'UNSATISFIABLE_CONSTRAINT',
    `No path of row ${row} has ${length} vertices, of ${vertices} in its lattice. Ask for another length.`,
    { option: 'length', row, received: length, max: vertices },
  );
}
