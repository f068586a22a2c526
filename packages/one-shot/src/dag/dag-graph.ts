import { type DagLattice, ForetokenError } from '@foretoken/core';
import { argmax, assertScores, noTokenLeft } from '@foretoken/core/kit';

/** A checked DAG lattice in which every edge lies on a way to the last vertex. Reads the lattice's arrays, never writes. */
export interface DagGraph {
  readonly vertices: number;
  readonly k: number;
  /** `[vertices, k]`. */
  readonly tokenIds: Int32Array;
  /** Natural log, `[vertices, k]`. */
  readonly logProbs: Float32Array;
  /** Natural-log probabilities of edges, `[vertices, vertices]`; `-Infinity` also where the edge leads into a dead end. */
  readonly transitions: Float32Array;
  /** The most probable token of each vertex, `[vertices]`; the earlier candidate among equals. */
  readonly bestTokenIds: Int32Array;
  /** Its natural-log probability, `[vertices]`. */
  readonly bestLogProbs: Float32Array;
}

/** Vertices that are read before other work may have a turn. */
export const VERTICES_A_STEP = 32;

/**
 * Checks a lattice and leaves out the vertices that have no token, or no way to the last vertex: a walk can then not get
 * stuck, whatever it chooses by. A generator that yields after some vertices.
 *
 * Throws `INVALID_SCORES` where a score is `NaN` or `Infinity`, `UNSATISFIABLE_CONSTRAINT` where no path leads from vertex 0
 * to the last vertex, and `INVALID_ARGUMENT` where sizes disagree, an edge leads backwards, or a token id lies outside the
 * vocabulary or comes twice at a vertex.
 */
export function* readDag(lattice: DagLattice, vocabularySize: number, row: number): Generator<void, DagGraph> {
  assertSizes(lattice, row);
  const { vertices, k, tokenIds, logProbs } = lattice;
  const bestTokenIds = new Int32Array(vertices);
  const bestLogProbs = new Float32Array(vertices);
  const seen = new Set<number>();
  for (let vertex = 0; vertex < vertices; vertex++) {
    seen.clear();
    assertTokens(lattice, vertex, vocabularySize, seen, row);
    assertEdges(lattice, vertex, row);
    const best = argmax(logProbs.subarray(vertex * k, (vertex + 1) * k));
    bestTokenIds[vertex] = best < 0 ? -1 : tokenIds[vertex * k + best];
    bestLogProbs[vertex] = best < 0 ? Number.NEGATIVE_INFINITY : logProbs[vertex * k + best];
    if (vertex % VERTICES_A_STEP === VERTICES_A_STEP - 1) yield;
  }
  const transitions = lattice.transitions.slice();
  const live = new Uint8Array(vertices);
  for (let from = vertices - 1; from >= 0; from--) {
    let leadsOn = from === vertices - 1;
    for (let to = from + 1; to < vertices; to++) {
      const edge = from * vertices + to;
      if (live[to] === 0) transitions[edge] = Number.NEGATIVE_INFINITY;
      else if (transitions[edge] !== Number.NEGATIVE_INFINITY) leadsOn = true;
    }
    live[from] = leadsOn && bestTokenIds[from] !== -1 ? 1 : 0;
    if (from % VERTICES_A_STEP === 0) yield;
  }
  if (live[0] === 0) throw noTokenLeft(row, 0);
  return { vertices, k, tokenIds, logProbs, transitions, bestTokenIds, bestLogProbs };
}

/** Log-probabilities of the edges that leave a vertex, `[vertices]`; a view. */
export function edgesFrom({ transitions, vertices }: DagGraph, vertex: number): Float32Array {
  return transitions.subarray(vertex * vertices, (vertex + 1) * vertices);
}

function assertSizes({ vertices, k, tokenIds, logProbs, transitions }: DagLattice, row: number): void {
  const emissions = vertices * k;
  const edges = vertices * vertices;
  if (
    !Number.isInteger(emissions) ||
    emissions < 1 ||
    tokenIds.length !== emissions ||
    logProbs.length !== emissions ||
    transitions.length !== edges
  ) {
    throw invalid(
      row,
      `has ${tokenIds.length} token ids, ${logProbs.length} scores and ${transitions.length} transitions; ` +
        `${vertices} vertices of ${k} candidates require ${emissions}, ${emissions} and ${edges}, at least one of each.`,
      { vertices, k },
    );
  }
}

function assertTokens(
  { k, tokenIds, logProbs }: DagLattice,
  vertex: number,
  vocabularySize: number,
  seen: Set<number>,
  row: number,
): void {
  assertScores(logProbs, row, vertex, vertex * k, (vertex + 1) * k);
  for (let entry = vertex * k; entry < (vertex + 1) * k; entry++) {
    // Candidates that were ruled out may hold any id.
    if (logProbs[entry] === Number.NEGATIVE_INFINITY) continue;
    const tokenId = tokenIds[entry];
    if (!(tokenId >= 0 && tokenId < vocabularySize)) {
      const message = `has token ${tokenId} at vertex ${vertex}; ids from 0 to ${vocabularySize - 1} are required.`;
      throw invalid(row, message, { vertex, received: tokenId });
    }
    if (seen.has(tokenId)) {
      const message = `has token ${tokenId} twice at vertex ${vertex}; distinct candidates are required.`;
      throw invalid(row, message, { vertex, received: tokenId });
    }
    seen.add(tokenId);
  }
}

function assertEdges({ vertices, transitions }: DagLattice, from: number, row: number): void {
  assertScores(transitions, row, from, from * vertices, (from + 1) * vertices);
  for (let to = 0; to <= from; to++) {
    if (transitions[from * vertices + to] === Number.NEGATIVE_INFINITY) continue;
    const message = `has an edge from vertex ${from} to ${to}; edges to later vertices are required.`;
    throw invalid(row, message, { from, to });
  }
}

function invalid(row: number, what: string, details: Readonly<Record<string, unknown>>): ForetokenError {
  return new ForetokenError('INVALID_ARGUMENT', `The lattice of row ${row} ${what}`, { row, ...details });
}
