import { type DagGraph, edgesFrom } from './dag-graph.js';

/** The best path from vertex 0 to the last vertex for every number of vertices. */
export interface PathsByLength {
  /** Score of the best path of each length, `[longest + 1]`, natural log; `-Infinity` where there is none. */
  readonly scores: Float64Array;
  /** Vertices of the best path of a length that has one, `[length]`. */
  path(length: number): number[];
}

/** Whether no longer path can matter: asked after each length, with a bound on the score of all longer paths. */
export type StopViterbi = (scores: Float64Array, length: number, bound: number) => boolean;

/**
 * Viterbi's dynamic programme over vertices and lengths: a path's score is the sum of its edges' log-probabilities and of
 * `vertexScores` `[vertices]` at its vertices (Shao et al., 2022, "Viterbi decoding of directed acyclic transformer",
 * section 3). Among equals the earlier vertex comes first. Time is vertices squared times the longest path looked at.
 *
 * A generator that yields after each length.
 */
export function* viterbiPaths(
  graph: DagGraph,
  vertexScores: ArrayLike<number>,
  longest: number = graph.vertices,
  stop: StopViterbi = () => false,
): Generator<void, PathsByLength> {
  const { vertices } = graph;
  const last = vertices - 1;
  const rest = yield* restOfPaths(graph, vertexScores);
  const scores = new Float64Array(longest + 1).fill(Number.NEGATIVE_INFINITY);
  /** Vertex before each vertex on the best path to it, `[vertices]` for each length. */
  const before: Int32Array[] = [new Int32Array(0), new Int32Array(0)];
  let reached = new Float64Array(vertices).fill(Number.NEGATIVE_INFINITY);
  reached[0] = vertexScores[0];
  scores[1] = reached[last];
  for (let length = 2; length <= longest; length++) {
    let bound = Number.NEGATIVE_INFINITY;
    for (let vertex = 0; vertex < last; vertex++) {
      bound = Math.max(bound, reached[vertex] + rest[vertex]);
    }
    if (stop(scores, length - 1, bound)) break;
    const next = new Float64Array(vertices).fill(Number.NEGATIVE_INFINITY);
    const back = new Int32Array(vertices).fill(-1);
    before.push(back);
    // A path of n vertices cannot stand before vertex n - 1.
    for (let from = length - 2; from < last; from++) {
      const score = reached[from];
      if (score === Number.NEGATIVE_INFINITY) continue;
      const edges = edgesFrom(graph, from);
      for (let to = from + 1; to < vertices; to++) {
        const extended = score + edges[to] + vertexScores[to];
        if (extended > next[to]) {
          next[to] = extended;
          back[to] = from;
        }
      }
    }
    reached = next;
    scores[length] = reached[last];
    yield;
  }
  return {
    scores,
    path(length) {
      const path = new Array<number>(length);
      for (let place = length, vertex = last; place >= 1; place--) {
        path[place - 1] = vertex;
        vertex = before[place]?.[vertex];
      }
      return path;
    },
  };
}

/** Score of the best way from each vertex to the last, what the vertex itself has not counted, `[vertices]`. */
function* restOfPaths(graph: DagGraph, vertexScores: ArrayLike<number>): Generator<void, Float64Array> {
  const { vertices } = graph;
  const rest = new Float64Array(vertices).fill(Number.NEGATIVE_INFINITY);
  rest[vertices - 1] = 0;
  for (let from = vertices - 2; from >= 0; from--) {
    const edges = edgesFrom(graph, from);
    let best = Number.NEGATIVE_INFINITY;
    for (let to = from + 1; to < vertices; to++) {
      best = Math.max(best, edges[to] + vertexScores[to] + rest[to]);
    }
    rest[from] = best;
    yield;
  }
  return rest;
}
