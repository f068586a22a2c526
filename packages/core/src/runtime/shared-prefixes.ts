/** What a row's prefix has in common with that of an earlier row. */
export interface SharedPrefix {
  /** The first of the rows that begin so. */
  readonly donor: number;
  /** How many tokens, a multiple of the block. */
  readonly length: number;
}

/**
 * Finds what prefixes have in common with earlier ones, by blocks of tokens: a tree of blocks, in which each belongs to the row
 * that had it first. Linear in the number of tokens.
 */
export class SharedPrefixes {
  readonly #block: number;
  readonly #own: number;
  readonly #prefixes: Int32Array[] = [];
  /** Blocks by a hash of their tokens and of what is before them; of two with one hash the first is kept, the other not shared. */
  readonly #byHash = new Map<number, { readonly owner: number; readonly id: number }>();

  /** With `own` tokens at least of each prefix that are never shared. */
  constructor(block: number, own: number) {
    this.#block = block;
    this.#own = own;
  }

  /** Takes the next row's prefix; it must not change afterwards. */
  add(prefix: Int32Array): SharedPrefix | undefined {
    const row = this.#prefixes.push(prefix) - 1;
    let shared: SharedPrefix | undefined;
    let above = -1;
    const max = prefix.length - this.#own;
    for (let end = this.#block; end <= max; end += this.#block) {
      const hash = this.#hash(prefix, end, above);
      const known = this.#byHash.get(hash);
      if (known === undefined) {
        const id = this.#byHash.size;
        this.#byHash.set(hash, { owner: row, id });
        above = id;
        continue;
      }
      if (!this.#same(this.#prefixes[known.owner], prefix, end)) break;
      shared = { donor: known.owner, length: end };
      above = known.id;
    }
    return shared;
  }

  /**
   * FNV-1a over the block that ends at `end` and the block above it. Each step can be undone, so of equal blocks only those below
   * the same one have the same hash.
   */
  #hash(prefix: Int32Array, end: number, above: number): number {
    let hash = Math.imul(0x811c9dc5 ^ above, 0x01000193);
    for (let at = end - this.#block; at < end; at++) hash = Math.imul(hash ^ prefix[at], 0x01000193);
    return hash;
  }

  #same(one: Int32Array, other: Int32Array, end: number): boolean {
    for (let at = end - this.#block; at < end; at++) if (one[at] !== other[at]) return false;
    return true;
  }
}
