import { logSumExp, topK } from '@foretoken/core';
import { type DagGraph, edgesFrom } from './dag-graph.js';

/**
 * Edges that a search follows from one vertex, and vertices that a prefix stands on: the most probable ones, at most this many.
 * A search of all would take time of the vertices cubed; lattices of at most this many vertices are searched exactly.
 */
export const MAX_FOLLOWED = 128;

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

/** Chooses the edges to follow; yields after each vertex. */
export function* followedEdges(graph: DagGraph, endTokenId: number): Generator<void, DagEdges> {
  const { vertices, k, logProbs, tokenIds } = graph;
  const lists = new Array<EdgeList>(vertices);
  const rest = new Float64Array(vertices);
  const endNext = new Float64Array(vertices).fill(Number.NEGATIVE_INFINITY);
  /** That a vertex says anything, or the end token, and whatever follows. */
  const anything = new Float64Array(vertices);
  const ending = new Float64Array(vertices).fill(Number.NEGATIVE_INFINITY);
  for (let vertex = vertices - 1; vertex >= 0; vertex--) {
    const list = mostProbable(edgesFrom(graph, vertex));
    lists[vertex] = list;
    if (vertex < vertices - 1) {
      rest[vertex] = behind(list, anything);
      endNext[vertex] = behind(list, ending);
    }
    const after = rest[vertex] as number;
    anything[vertex] = logSumExp(logProbs.subarray(vertex * k, (vertex + 1) * k)) + after;
    const said = tokenIds.subarray(vertex * k, (vertex + 1) * k).indexOf(endTokenId);
    if (said >= 0) ending[vertex] = (logProbs[vertex * k + said] as number) + after;
    yield;
  }
  return { from: (vertex) => lists[vertex] as EdgeList, rest, endNext, endFirst: ending[0] as number };
}

function behind({ to, logProbs }: EdgeList, masses: Float64Array): number {
  return logSumExp(Float64Array.from(to, (vertex, edge) => (logProbs[edge] as number) + (masses[vertex] as number)));
}

function mostProbable(edges: Float32Array): EdgeList {
  const to = topK(edges, MAX_FOLLOWED).sort();
  return { to, logProbs: Float32Array.from(to, (vertex) => edges[vertex] as number) };
}
