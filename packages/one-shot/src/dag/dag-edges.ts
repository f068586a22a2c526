import { logSumExp, topK } from '@foretoken/core/kit';
import { type DagGraph, edgesFrom, VERTICES_A_STEP } from './dag-graph.js';

/**
 * Edges that a search follows from one vertex, and vertices that a prefix stands on: the most probable ones, at most this many.
 * A search of all would take time of the vertices cubed; lattices of at most this many vertices are searched exactly.
 */
export const MAX_FOLLOWED = 256;

/** Edges that leave one vertex; `to` ascends. */
export interface EdgeList {
  readonly to: Int32Array;
  /** Natural log. */
  readonly logProbs: Float32Array;
}

/** The edges of a graph that a search follows, and what lies behind its vertices by way of these. */
export interface DagEdges {
  readonly from: (vertex: number) => EdgeList;
  /** Log-probability of all that may follow once a vertex has said its token, `[vertices]`: 0 but for what is not followed. */
  readonly rest: Float64Array;
  /** Log-probability that the next token said is the end token, whatever follows it, `[vertices]`. */
  readonly endNext: Float64Array;
  /** Log-probability that vertex 0 says the end token, whatever follows it. */
  readonly endFirst: number;
}

/** Chooses the edges to follow; yields after some vertices. */
export function* followedEdges(graph: DagGraph, endTokenId: number | undefined): Generator<void, DagEdges> {
  const { vertices, k, logProbs, tokenIds } = graph;
  const lists = new Array<EdgeList>(vertices);
  const rest = new Float64Array(vertices);
  const endNext = new Float64Array(vertices).fill(Number.NEGATIVE_INFINITY);
  /** That a vertex says anything, or the end token, and whatever follows. */
  const anything = new Float64Array(vertices);
  const ending = new Float64Array(vertices).fill(Number.NEGATIVE_INFINITY);
  for (let vertex = vertices - 1; vertex >= 0; vertex--) {
    const list = mostProbable(edgesFrom(graph, vertex), vertex);
    lists[vertex] = list;
    if (vertex < vertices - 1) {
      rest[vertex] = behind(list, anything);
      endNext[vertex] = behind(list, ending);
    }
    const after = rest[vertex];
    anything[vertex] = logSumExp(logProbs.subarray(vertex * k, (vertex + 1) * k)) + after;
    for (let entry = vertex * k; entry < (vertex + 1) * k; entry++) {
      // Candidates that were ruled out may hold any id.
      if (tokenIds[entry] !== endTokenId || logProbs[entry] === Number.NEGATIVE_INFINITY) continue;
      ending[vertex] = logProbs[entry] + after;
    }
    if (vertex % VERTICES_A_STEP === 0) yield;
  }
  return { from: (vertex) => lists[vertex], rest, endNext, endFirst: ending[0] };
}

function behind({ to, logProbs }: EdgeList, masses: Float64Array): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let edge = 0; edge < to.length; edge++) {
    const score = logProbs[edge] + masses[to[edge]];
    if (score > max) max = score;
  }
  if (max === Number.NEGATIVE_INFINITY) return max;
  let sum = 0;
  for (let edge = 0; edge < to.length; edge++) {
    sum += Math.exp(logProbs[edge] + masses[to[edge]] - max);
  }
  return max + Math.log(sum);
}

function mostProbable(edges: Float32Array, from: number): EdgeList {
  const possible = new Int32Array(edges.length - from - 1);
  let count = 0;
  for (let to = from + 1; to < edges.length; to++) {
    if (edges[to] > Number.NEGATIVE_INFINITY) possible[count++] = to;
  }
  const to = count > MAX_FOLLOWED ? topK(edges, MAX_FOLLOWED).sort() : possible.subarray(0, count);
  const logProbs = new Float32Array(to.length);
  for (let edge = 0; edge < to.length; edge++) logProbs[edge] = edges[to[edge]];
  return { to, logProbs };
}
