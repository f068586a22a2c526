import { assertInteger } from '@foretoken/core/kit';

/** The empty prefix. */
export const EMPTY_PREFIX = 0;

/**
 * Output prefixes as nodes of a tree, numbered from 0, the empty prefix; a node is never removed. Throws `INVALID_ARGUMENT` for
 * a node that is none, and for a token that is no integer.
 */
export class PrefixTrie {
  /** Prefix without its last token, by node; -1 for the empty prefix. */
  readonly parents: number[] = [-1];
  /** Last token, by node; -1 for the empty prefix. */
  readonly tokenIds: number[] = [-1];
  /** Open addressing: the child in each slot, or -1; parent and token are compared. */
  #slots: Int32Array = new Int32Array(256).fill(-1);

  /** The prefix with one more token, or -1 where it has not been added. */
  child(parent: number, tokenId: number): number {
    this.#check(parent, tokenId);
    return this.#slots[this.#probe(parent, tokenId)];
  }

  /** Adds the prefix with one more token, which must not be there yet. */
  add(parent: number, tokenId: number): number {
    this.#check(parent, tokenId);
    const node = this.parents.push(parent) - 1;
    this.tokenIds.push(tokenId);
    if (4 * node > 3 * this.#slots.length) this.#grow();
    else this.#slots[this.#probe(parent, tokenId)] = node;
    return node;
  }

  /** All tokens of a prefix, first to last. */
  tokens(node: number): number[] {
    this.#check(node, 0);
    const tokenIds: number[] = [];
    for (let at = node; at !== EMPTY_PREFIX; at = this.parents[at]) {
      tokenIds.push(this.tokenIds[at]);
    }
    return tokenIds.reverse();
  }

  #check(node: number, tokenId: number): void {
    assertInteger('node', node, EMPTY_PREFIX, this.parents.length - 1);
    assertInteger('tokenId', tokenId, -1, Number.MAX_SAFE_INTEGER);
  }

  #probe(parent: number, tokenId: number): number {
    const mask = this.#slots.length - 1;
    let hash = Math.imul(parent + 1, 0x9e3779b1) ^ Math.imul(tokenId + 1, 0x85ebca6b);
    hash ^= hash >>> 15;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const node = this.#slots[slot];
      if (node === -1 || (this.parents[node] === parent && this.tokenIds[node] === tokenId)) return slot;
    }
  }

  #grow(): void {
    this.#slots = new Int32Array(2 * this.#slots.length).fill(-1);
    for (let node = 1; node < this.parents.length; node++) {
      this.#slots[this.#probe(this.parents[node], this.tokenIds[node])] = node;
    }
  }
}
