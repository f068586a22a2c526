import { logSumExp, topK } from '@foretoken/core';
import { type DagGraph, edgesFrom } from './dag-graph.js';

/** A token sequence of some path, scored over all paths that say it. */
export interface ScoredSequence {
  readonly tokenIds: readonly number[];
  /** Natural-log probability of the sequence: the sum over all paths that were followed. */
  readonly logProb: number;
  /** What sequences are ranked by: fused with the n-gram model's score and divided by the length. */
  readonly score: number;
}

export interface PrefixBeamOptions {
  /** Prefixes to go on with at each length. */
  readonly beamSize: number;
  /** Sequences to return, best first. */
  readonly sequences: number;
  /** Exponent of the length that a score is divided by. */
  readonly lengthPenalty: number;
  /** Natural-log score to add for each next token of a prefix; never positive. */
  readonly fuse?: (tokenIds: readonly number[]) => (tokenId: number) => number;
}

/** Log-probability of having said the prefix and of standing at each of these vertices, which ascend. */
interface Prefix {
  readonly tokenIds: readonly number[];
  readonly fused: number;
  readonly vertices: readonly number[];
  readonly logProbs: readonly number[];
}

/**
 * Beam search over token sequences: paths with the same prefix are one hypothesis, whose probability is their sum, so that
 * many ways of saying the same are not outvoted by one way of saying something else (Huang et al., 2022, section 3).
 * With a beam that never prunes, the probabilities are exact.
 */
export function prefixBeam(graph: DagGraph, options: PrefixBeamOptions): ScoredSequence[] {
  const { beamSize, sequences, lengthPenalty, fuse } = options;
  const last = graph.vertices - 1;
  let finished: ScoredSequence[] = [];
  let running: Prefix[] = [{ tokenIds: [], fused: 0, vertices: [], logProbs: [] }];
  for (let length = 1; length <= graph.vertices && running.length > 0; length++) {
    const extended: Prefix[] = [];
    const scores: number[] = [];
    for (const prefix of running) {
      const fusedScore = fuse?.(prefix.tokenIds);
      for (const [tokenId, { vertices, logProbs }] of emissions(graph, length === 1 ? START : reach(graph, prefix))) {
        const fused = prefix.fused + (fusedScore?.(tokenId) ?? 0);
        if (fused === Number.NEGATIVE_INFINITY) continue;
        const tokenIds = [...prefix.tokenIds, tokenId];
        if (vertices.at(-1) === last) {
          const logProb = logProbs.pop() as number;
          vertices.pop();
          finished.push({ tokenIds, logProb, score: (logProb + fused) / length ** lengthPenalty });
        }
        if (vertices.length === 0) continue;
        extended.push({ tokenIds, fused, vertices, logProbs });
        scores.push(logSumExp(logProbs) + fused);
      }
    }
    finished = finished.sort((a, b) => b.score - a.score).slice(0, sequences);
    const best = topK(scores, beamSize);
    // Adding tokens only lowers the sum; by the length it is divided by, the best that can become of it is at one end.
    const most = scores[best[0] ?? -1] ?? Number.NEGATIVE_INFINITY;
    const bound = Math.max(most / (length + 1) ** lengthPenalty, most / graph.vertices ** lengthPenalty);
    if (finished.length === sequences && bound <= (finished.at(-1) as ScoredSequence).score) break;
    running = Array.from(best, (index) => extended[index] as Prefix);
  }
  return finished;
}

interface Emitted {
  readonly vertices: number[];
  readonly logProbs: number[];
}

/** Every path begins at vertex 0. */
const START: Float64Array = Float64Array.of(0);

/** Log-probability of having said the prefix and stepping to each vertex, `[vertices]`. */
function reach(graph: DagGraph, { vertices, logProbs }: Prefix): Float64Array {
  const most = new Float64Array(graph.vertices).fill(Number.NEGATIVE_INFINITY);
  const sums = new Float64Array(graph.vertices);
  const steps = vertices.map((from, index) => {
    const edges = edgesFrom(graph, from);
    const scores = Float64Array.from(edges, (logProb) => logProb + (logProbs[index] as number));
    for (let to = from + 1; to < scores.length; to++) most[to] = Math.max(most[to] as number, scores[to] as number);
    return scores;
  });
  for (const scores of steps) {
    for (let to = 0; to < scores.length; to++) {
      const score = scores[to] as number;
      if (score !== Number.NEGATIVE_INFINITY) sums[to] = (sums[to] as number) + Math.exp(score - (most[to] as number));
    }
  }
  return sums.map((sum, to) => (sum === 0 ? Number.NEGATIVE_INFINITY : (most[to] as number) + Math.log(sum)));
}

/** Where each token can be said, and with what log-probability, given that of standing at each vertex. */
function emissions({ k, tokenIds, logProbs }: DagGraph, reached: Float64Array): Map<number, Emitted> {
  const byToken = new Map<number, Emitted>();
  for (let vertex = 0; vertex < reached.length; vertex++) {
    const at = reached[vertex] as number;
    if (at === Number.NEGATIVE_INFINITY) continue;
    for (let entry = vertex * k; entry < (vertex + 1) * k; entry++) {
      const logProb = at + (logProbs[entry] as number);
      if (logProb === Number.NEGATIVE_INFINITY) continue;
      const tokenId = tokenIds[entry] as number;
      let emitted = byToken.get(tokenId);
      if (emitted === undefined) {
        emitted = { vertices: [], logProbs: [] };
        byToken.set(tokenId, emitted);
      }
      emitted.vertices.push(vertex);
      emitted.logProbs.push(logProb);
    }
  }
  return byToken;
}
