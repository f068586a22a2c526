import { argmax, type RandomStream, sampleToken } from '@foretoken/core/kit';
import { type DagGraph, edgesFrom } from './dag-graph.js';

/** A path through a DAG lattice with the token chosen at each of its vertices; arrays of the path's length. */
export interface DagPath {
  readonly vertices: readonly number[];
  readonly tokenIds: readonly number[];
  /** Natural-log probability of each token at its vertex. */
  readonly logProbs: readonly number[];
  /** Natural-log probability of path and tokens together. */
  readonly logProb: number;
}

/** Follows the most probable edge from each vertex (greedy decoding; Huang et al., 2022, section 3). */
export function greedyPath(graph: DagGraph): DagPath {
  return withBestTokens(
    graph,
    walk(graph, (vertex) => argmax(edgesFrom(graph, vertex))),
  );
}

/** Follows the edge with the most probable pair of edge and next token (lookahead decoding; Huang et al., 2022, section 3). */
export function lookaheadPath(graph: DagGraph): DagPath {
  return withBestTokens(
    graph,
    walk(graph, (vertex) => lookaheadStep(graph, vertex)),
  );
}

/** Where the most probable pair of edge and next token leads. */
export function lookaheadStep(graph: DagGraph, vertex: number): number {
  return argmax(Float64Array.from(edgesFrom(graph, vertex), (logProb, to) => logProb + graph.bestLogProbs[to]));
}

/**
 * Draws each edge and each token among a vertex' candidates in proportion to its probability to the power
 * `1 / temperature`; draws 0 and 1 of position and sample decide edge and token.
 */
export function sampledPath(graph: DagGraph, temperature: number, stream: RandomStream, sample: number): DagPath {
  const draw = (scores: Float32Array, position: number, which: 0 | 1): number => {
    // Relative to the highest score, so that no temperature rules everything out.
    const max = scores.reduce((best, score) => Math.max(best, score), Number.NEGATIVE_INFINITY);
    const heated = scores.map((score) => (score - max) / temperature);
    return sampleToken(heated, stream.uniform(position, sample, which));
  };
  const vertices = walk(graph, (vertex, position) => draw(edgesFrom(graph, vertex), position, 0));
  const { k } = graph;
  return withTokens(graph, vertices, (vertex, position) => {
    const logProbs = graph.logProbs.subarray(vertex * k, (vertex + 1) * k);
    return vertex * k + draw(logProbs, position, 1);
  });
}

/** The path with the most probable token at each vertex. */
export function withBestTokens(graph: DagGraph, vertices: readonly number[]): DagPath {
  const { k, logProbs } = graph;
  return withTokens(graph, vertices, (vertex) => vertex * k + argmax(logProbs.subarray(vertex * k, (vertex + 1) * k)));
}

/** `entryOf` says which entry of the emissions `[vertices, k]` is chosen at a vertex. */
function withTokens(
  graph: DagGraph,
  vertices: readonly number[],
  entryOf: (vertex: number, position: number) => number,
): DagPath {
  const entries = vertices.map(entryOf);
  const logProbs = entries.map((entry) => graph.logProbs[entry]);
  let logProb = logProbs.reduce((sum, value) => sum + value, 0);
  for (const [position, vertex] of vertices.entries()) {
    if (position > 0) logProb += edgesFrom(graph, vertices[position - 1])[vertex];
  }
  return { vertices, tokenIds: entries.map((entry) => graph.tokenIds[entry]), logProbs, logProb };
}

/** From vertex 0 to the last; `choose` gets the vertex it is at and that vertex' place in the path. */
function walk({ vertices }: DagGraph, choose: (vertex: number, position: number) => number): number[] {
  const path = [0];
  for (let vertex = 0; vertex < vertices - 1; ) {
    vertex = choose(vertex, path.length - 1);
    path.push(vertex);
  }
  return path;
}
