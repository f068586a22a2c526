import type { NewNodes, NodeId } from '../contract/token-tree.js';

/** The parent of a row's first node. */
export const ROOT: NodeId = -1;

/** Names a node of the same batch as a parent, by its place in the batch, before the forest has given it an id. */
export function nodeInBatch(index: number): number {
  return -2 - index;
}

/** Which nodes of a chain are to be scored. */
export type ChainScoring = 'all' | 'last' | 'none';

/**
 * Builds the nodes of one forward, so that nobody counts ids: what it returns for a new node can be given as the parent
 * of later ones, and tells afterwards which id the node got and where its scores are.
 *
 * One batch serves a whole decode: `clear` empties it and keeps its memory. Its arrays are views, valid until it changes.
 */
export class NodeBatch implements NewNodes {
  #row = new Int32Array(16);
  #parent = new Int32Array(16);
  #tokenId = new Int32Array(16);
  #scored = new Uint8Array(16);
  #size = 0;
  #scores = 0;

  /** Nodes added since the last `clear`. */
  get size(): number {
    return this.#size;
  }

  /** How many of them are to be scored: the place that the next scored node will have among the scores. */
  get scores(): number {
    return this.#scores;
  }

  get row(): Int32Array {
    return this.#row.subarray(0, this.#size);
  }

  get parent(): Int32Array {
    return this.#parent.subarray(0, this.#size);
  }

  /** Token of each node, `[nodes]`; a view, valid until the next change. */
  get tokenId(): Int32Array {
    return this.#tokenId.subarray(0, this.#size);
  }

  get scored(): Uint8Array {
    return this.#scored.subarray(0, this.#size);
  }

  /** Empties the batch, so that it can be filled again. */
  clear(): void {
    this.#size = 0;
    this.#scores = 0;
  }

  /** Adds a node below `parent` (`ROOT`, a node of the forest, or what an earlier `add` returned); returns its handle. */
  add(row: number, parent: number, tokenId: number, scored = true): number {
    const index = this.#size++;
    if (index === this.#row.length) this.#grow();
    this.#row[index] = row;
    this.#parent[index] = parent;
    this.#tokenId[index] = tokenId;
    this.#scored[index] = scored ? 1 : 0;
    if (scored) this.#scores++;
    return nodeInBatch(index);
  }

  /** Adds a chain of tokens below `parent`; returns the handle of the last, or `parent` where there are none. */
  addChain(row: number, parent: number, tokenIds: ArrayLike<number>, scoring: ChainScoring): number {
    let node = parent;
    const last = tokenIds.length - 1;
    for (let index = 0; index <= last; index++) {
      const scored = scoring === 'all' || (scoring === 'last' && index === last);
      node = this.add(row, node, tokenIds[index], scored);
    }
    return node;
  }

  #grow(): void {
    const grown = <Values extends Int32Array | Uint8Array>(values: Values, wider: Values): Values => {
      wider.set(values);
      return wider;
    };
    const size = 2 * this.#row.length;
    this.#row = grown(this.#row, new Int32Array(size));
    this.#parent = grown(this.#parent, new Int32Array(size));
    this.#tokenId = grown(this.#tokenId, new Int32Array(size));
    this.#scored = grown(this.#scored, new Uint8Array(size));
  }
}

/** The id of a node, given its handle and the id of its batch's first node; ids and `ROOT` stay what they are. */
export function nodeIdOf(handle: number, firstNode: NodeId): NodeId {
  return handle < -1 ? firstNode - 2 - handle : handle;
}
