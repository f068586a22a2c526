import type { DagEdges } from './dag-edges.js';
import type { DagGraph } from './dag-graph.js';

/** Terms this far below the greatest, in natural logarithms, are lost in a sum of doubles. */
const NEGLIGIBLE = 40;

/** Where a prefix may stand after one more step; the arrays are used again by each call. */
export class Reach {
  readonly #most: Float64Array;
  readonly #sums: Float64Array;

  constructor(vertices: number) {
    this.#most = new Float64Array(vertices);
    this.#sums = new Float64Array(vertices);
  }

  /** Log-probability of standing at one of `vertices` and stepping to each vertex, `[vertices]`; valid until the next call. */
  from(
    { vertices, logProbs }: { readonly vertices: readonly number[]; readonly logProbs: readonly number[] },
    edges: DagEdges,
  ): Float64Array {
    const most = this.#most.fill(Number.NEGATIVE_INFINITY);
    const sums = this.#sums.fill(0);
    for (let index = 0; index < vertices.length; index++) {
      const here = logProbs[index] as number;
      const { to, logProbs: steps } = edges.from(vertices[index] as number);
      for (let edge = 0; edge < to.length; edge++) {
        const vertex = to[edge] as number;
        const score = here + (steps[edge] as number);
        if (score > (most[vertex] as number)) most[vertex] = score;
      }
    }
    for (let index = 0; index < vertices.length; index++) {
      const here = logProbs[index] as number;
      const { to, logProbs: steps } = edges.from(vertices[index] as number);
      for (let edge = 0; edge < to.length; edge++) {
        const vertex = to[edge] as number;
        const below = here + (steps[edge] as number) - (most[vertex] as number);
        if (below > -NEGLIGIBLE) sums[vertex] = (sums[vertex] as number) + Math.exp(below);
      }
    }
    for (let vertex = 0; vertex < sums.length; vertex++) {
      if (sums[vertex] !== 0) most[vertex] = (most[vertex] as number) + Math.log(sums[vertex] as number);
    }
    return most;
  }
}

interface Emitted {
  readonly vertices: number[];
  readonly logProbs: number[];
}

/** Where each token can be said, and with what log-probability, given that of standing at each vertex. */
export function emissions({ k, tokenIds, logProbs }: DagGraph, reached: Float64Array): Map<number, Emitted> {
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
