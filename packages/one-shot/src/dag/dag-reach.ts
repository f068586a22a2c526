import type { DagEdges } from './dag-edges.js';
import type { DagGraph } from './dag-graph.js';

/** Terms this far below the greatest, in natural logarithms, are lost in a sum of doubles. */
const NEGLIGIBLE = 40;

/** Where a prefix may stand after one more step; the arrays are used again by each call. */
export class Reach {
  readonly #max: Float64Array;
  readonly #sums: Float64Array;

  constructor(vertices: number) {
    this.#max = new Float64Array(vertices);
    this.#sums = new Float64Array(vertices);
  }

  /** Log-probability of standing at one of `vertices` and stepping to each vertex, `[vertices]`; valid until the next call. */
  from(
    { vertices, logProbs }: { readonly vertices: readonly number[]; readonly logProbs: readonly number[] },
    edges: DagEdges,
  ): Float64Array {
    const max = this.#max.fill(Number.NEGATIVE_INFINITY);
    const sums = this.#sums.fill(0);
    for (let index = 0; index < vertices.length; index++) {
      const here = logProbs[index];
      const { to, logProbs: steps } = edges.from(vertices[index]);
      for (let edge = 0; edge < to.length; edge++) {
        const vertex = to[edge];
        const score = here + steps[edge];
        if (score > max[vertex]) max[vertex] = score;
      }
    }
    for (let index = 0; index < vertices.length; index++) {
      const here = logProbs[index];
      const { to, logProbs: steps } = edges.from(vertices[index]);
      for (let edge = 0; edge < to.length; edge++) {
        const vertex = to[edge];
        const below = here + steps[edge] - max[vertex];
        if (below > -NEGLIGIBLE) sums[vertex] = sums[vertex] + Math.exp(below);
      }
    }
    for (let vertex = 0; vertex < sums.length; vertex++) {
      if (sums[vertex] !== 0) max[vertex] = max[vertex] + Math.log(sums[vertex]);
    }
    return max;
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
    const at = reached[vertex];
    if (at === Number.NEGATIVE_INFINITY) continue;
    for (let entry = vertex * k; entry < (vertex + 1) * k; entry++) {
      const logProb = at + logProbs[entry];
      if (logProb === Number.NEGATIVE_INFINITY) continue;
      const tokenId = tokenIds[entry];
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
