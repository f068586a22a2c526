import { argmax, type DagLattice, ForetokenError } from '@foretoken/core';

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

/**
 * Checks a lattice and leaves out the vertices that have no token, or no way to the last vertex: a walk can then not get
 * stuck, whatever it chooses by.
 *
 * Throws `INVALID_ARGUMENT` where sizes disagree, a score is `NaN` or `Infinity`, an edge leads backwards, a token id lies
 * outside the vocabulary, or no path leads from vertex 0 to the last vertex.
 */
export function readDag(lattice: DagLattice, vocabularySize: number, row: number): DagGraph {
  assertSizes(lattice, row);
  assertScores(lattice, vocabularySize, row);
  const { vertices, k, tokenIds, logProbs } = lattice;
  const bestTokenIds = new Int32Array(vertices);
  const bestLogProbs = new Float32Array(vertices);
  for (let vertex = 0; vertex < vertices; vertex++) {
    const best = argmax(logProbs.subarray(vertex * k, (vertex + 1) * k));
    bestTokenIds[vertex] = best < 0 ? -1 : (tokenIds[vertex * k + best] as number);
    bestLogProbs[vertex] = best < 0 ? Number.NEGATIVE_INFINITY : (logProbs[vertex * k + best] as number);
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
  }
  if (live[0] === 0) {
    throw invalid(row, `has no path from vertex 0 to vertex ${vertices - 1}; at least one is required.`, { vertices });
  }
  return { vertices, k, tokenIds, logProbs, transitions, bestTokenIds, bestLogProbs };
}

/** Log-probabilities of the edges that leave a vertex, `[vertices]`; a view. */
export function edgesFrom({ transitions, vertices }: DagGraph, vertex: number): Float32Array {
  return transitions.subarray(vertex * vertices, (vertex + 1) * vertices);
}

function assertSizes({ kind, vertices, k, tokenIds, logProbs, transitions }: DagLattice, row: number): void {
  if (kind !== 'dag')
    throw invalid(row, `is a ${String(kind)} lattice; a dag lattice is required.`, { received: kind });
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

function assertScores(lattice: DagLattice, vocabularySize: number, row: number): void {
  const { vertices, k, tokenIds, logProbs, transitions } = lattice;
  for (let entry = 0; entry < logProbs.length; entry++) {
    const logProb = logProbs[entry] as number;
    const tokenId = tokenIds[entry] as number;
    const vertex = Math.floor(entry / k);
    if (!(logProb < Number.POSITIVE_INFINITY)) {
      throw invalid(row, `has a token score of ${logProb} at vertex ${vertex}; log-probabilities are required.`, {
        vertex,
      });
    }
    // Candidates that were ruled out may hold any id.
    if (logProb !== Number.NEGATIVE_INFINITY && !(tokenId >= 0 && tokenId < vocabularySize)) {
      const message = `has token ${tokenId} at vertex ${vertex}; ids from 0 to ${vocabularySize - 1} are required.`;
      throw invalid(row, message, { vertex, received: tokenId });
    }
  }
  for (let edge = 0; edge < transitions.length; edge++) {
    const logProb = transitions[edge] as number;
    const from = Math.floor(edge / vertices);
    const to = edge % vertices;
    if (!(logProb < Number.POSITIVE_INFINITY)) {
      throw invalid(row, `scores the edge from ${from} to ${to} with ${logProb}; a log-probability is required.`, {
        from,
        to,
      });
    }
    if (to <= from && logProb !== Number.NEGATIVE_INFINITY) {
      throw invalid(row, `has an edge from vertex ${from} to ${to}; edges to later vertices are required.`, {
        from,
        to,
      });
    }
  }
}

function invalid(row: number, what: string, details: Readonly<Record<string, unknown>>): ForetokenError {
  return new ForetokenError('INVALID_ARGUMENT', `The lattice of row ${row} ${what}`, { row, ...details });
}
