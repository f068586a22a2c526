/**
 * Finds a token sequence in one that grows token by token, each token looked at a bounded number of times (Knuth, Morris
 * and Pratt, 1977). Occurrences may overlap. What has been found so far is a number that the caller keeps.
 */
export class TokenPattern {
  /** `[length]`, at least one. */
  readonly tokenIds: Int32Array;
  /** Length of the longest proper beginning that the first `n` tokens also end with, by `n`; `[length + 1]`. */
  readonly #borders: Int32Array;

  constructor(tokenIds: Int32Array) {
    this.tokenIds = tokenIds;
    this.#borders = new Int32Array(tokenIds.length + 1);
    for (let length = 2; length <= tokenIds.length; length++) {
      this.#borders[length] = this.after(this.#borders[length - 1], tokenIds[length - 1]);
    }
  }

  /** Tokens of the pattern. */
  get length(): number {
    return this.tokenIds.length;
  }

  /**
   * How much of the pattern stands at the end of the sequence after one more token: the length of the longest beginning
   * that it ends with, the pattern's own length where it occurs there. `standing` is the same before that token, 0 at first.
   */
  after(standing: number, tokenId: number): number {
    let length = standing === this.length ? this.border(standing) : standing;
    while (length > 0 && this.tokenIds[length] !== tokenId) length = this.border(length);
    return this.tokenIds[length] === tokenId ? length + 1 : 0;
  }

  /** Length of the next shorter beginning that stands where one of length `standing` does; 0 where none does. */
  border(standing: number): number {
    return this.#borders[standing];
  }
}
