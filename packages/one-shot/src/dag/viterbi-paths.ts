import { type DagGraph, edgesFrom } from './dag-graph.js';

/** The best path from vertex 0 to the last vertex for every number of vertices. */
export interface PathsByLength {
  /** Score of the best path of each length, `[longest + 1]`, natural log; `-Infinity` where there is none. */
  readonly scores: Float64Array;
  /** Vertices of the best path of a length that has one, `[length]`. */
  path(length: number): number[];
}

/**
 * Viterbi's dynamic programme over vertices and lengths: a path's score is the sum of its edges' log-probabilities and of
 * `vertexScores` `[vertices]` at its vertices (Shao et al., 2022, "Viterbi decoding of directed acyclic transformer",
 * section 3). Among equals the earlier vertex comes first. Time is vertices squared times `longest`.
 */
export function viterbiPaths(
  graph: DagGraph,
  vertexScores: ArrayLike<number>,
  longest: number = graph.vertices,
): PathsByLength {
  const { vertices } = graph;
  const last = vertices - 1;
  const scores = new Float64Array(longest + 1).fill(Number.NEGATIVE_INFINITY);
  /** Vertex before each vertex on the best path to it of each length, `[longest + 1, vertices]`. */
  const before = new Int32Array((longest + 1) * vertices).fill(-1);
  let reached = new Float64Array(vertices).fill(Number.NEGATIVE_INFINITY);
  reached[0] = vertexScores[0] as number;
  scores[1] = reached[last] as number;
  for (let length = 2; length <= longest; length++) {
    const next = new Float64Array(vertices).fill(Number.NEGATIVE_INFINITY);
    const back = before.subarray(length * vertices, (length + 1) * vertices);
    // A path of n vertices cannot stand before vertex n - 1.
    for (let from = length - 2; from < last; from++) {
      const score = reached[from] as number;
      if (score === Number.NEGATIVE_INFINITY) continue;
      const edges = edgesFrom(graph, from);
      for (let to = from + 1; to < vertices; to++) {
        const extended = score + (edges[to] as number) + (vertexScores[to] as number);
        if (extended > (next[to] as number)) {
          next[to] = extended;
          back[to] = from;
        }
      }
    }
    reached = next;
    scores[length] = reached[last] as number;
  }
  return {
    scores,
    path(length) {
      const path = new Array<number>(length);
      for (let place = length, vertex = last; place >= 1; place--) {
        path[place - 1] = vertex;
        vertex = before[place * vertices + vertex] as number;
      }
      return path;
    },
  };
}
