import type { DraftLimit, DraftTree } from '@foretoken/core';

/** A draft made of several: what they begin with in common is joined, and where they go apart each has a branch. */
export class DraftTrie {
  readonly #tokenIds: number[] = [];
  readonly #parents: number[] = [];
  /** How probable each node's path is. */
  readonly #paths: number[] = [];
  /** Nodes by parent and token. */
  readonly #children: Map<number, number>[] = [];
  readonly #roots = new Map<number, number>();

  /** Adds a token below a node, or below the prefix where `parent` is -1, and returns its node; what is there gains. */
  add(parent: number, tokenId: number, path: number, join: (before: number, path: number) => number): number {
    const children = parent < 0 ? this.#roots : this.#children[parent];
    const known = children.get(tokenId);
    if (known !== undefined) {
      this.#paths[known] = join(this.#paths[known], path);
      return known;
    }
    const node = this.#tokenIds.push(tokenId) - 1;
    this.#parents.push(parent);
    this.#paths.push(path);
    this.#children.push(new Map());
    children.set(tokenId, node);
    return node;
  }

  /**
   * The most probable nodes, the best first; of equals the one that was added first. No path becomes longer than those that were
   * added, so their depth is for the caller to limit.
   */
  best({ nodes, minProbability = 0 }: DraftLimit): DraftTree {
    const paths = this.#pathsBelowParents();
    const order = Array.from(paths.keys())
      .filter((node) => paths[node] >= minProbability)
      .sort((a, b) => paths[b] - paths[a] || a - b)
      .slice(0, nodes);
    const places = new Int32Array(paths.length);
    for (const [place, node] of order.entries()) places[node] = place;
    const parents = order.map((node) => this.#parents[node]);
    return {
      tokenIds: Int32Array.from(order, (node) => this.#tokenIds[node]),
      parents: Int32Array.from(parents, (parent) => (parent < 0 ? -1 : places[parent])),
      probabilities: Float32Array.from(order, (node, place) => {
        const parent = parents[place];
        const above = parent < 0 ? 1 : paths[parent];
        return above > 0 ? Math.min(1, paths[node] / above) : 0;
      }),
    };
  }

  /** Path probabilities of which siblings share what their parent has: no node is more probable than the one above it. */
  #pathsBelowParents(): Float64Array {
    const sums = new Float64Array(this.#paths.length + 1);
    for (const [node, parent] of this.#parents.entries()) {
      sums[parent + 1] = sums[parent + 1] + this.#paths[node];
    }
    const paths = new Float64Array(this.#paths.length);
    for (const [node, parent] of this.#parents.entries()) {
      const above = parent < 0 ? 1 : paths[parent];
      const sum = sums[parent + 1];
      const given = this.#paths[node];
      const shared = parent < 0 ? 1 : this.#paths[parent];
      // Siblings that are together more probable than their parent are scaled down; a parent that was, takes its children along.
      paths[node] = shared > 0 ? Math.min(above, (above * given) / Math.max(shared, sum)) : 0;
    }
    return paths;
  }
}
