import { joinTokens } from '@foretoken/core/kit';
import type { TokenPieces } from './token-pieces.js';

/** A token that follows in a text, and how probable its writer found it, where that is known. */
export interface CopiedToken {
  readonly tokenId: number;
  readonly probability: number | undefined;
}

/** A text to copy from: its tokens, and the units that they are made of. */
export class CopiedText {
  /** `[units]`. */
  readonly units: Int32Array;
  readonly #tokenIds: Int32Array;
  readonly #pieces: TokenPieces;
  /** Of each unit, the token that begins there, as an index; -1 inside tokens. */
  readonly #tokenOf: Int32Array;
  readonly #probabilities: Float32Array | undefined;

  /** `probabilities`, `[tokens]`: how sure the text's writer was of each token. */
  constructor(tokenIds: Int32Array, pieces: TokenPieces, probabilities?: Float32Array) {
    const units = Array.from(tokenIds, (tokenId) => pieces.units(tokenId));
    const length = units.reduce((sum, piece) => sum + piece.length, 0);
    this.units = new Int32Array(length);
    this.#tokenOf = new Int32Array(length).fill(-1);
    let at = 0;
    for (const [index, piece] of units.entries()) {
      this.units.set(piece, at);
      this.#tokenOf[at] = index;
      at += piece.length;
    }
    this.#tokenIds = tokenIds;
    this.#pieces = pieces;
    this.#probabilities = probabilities;
  }

  /**
   * Tokens that follow the token `last` where the text goes on from a unit, at most so many: the text's own wherever one
   * begins, and up to there the longest of the vocabulary that spell it.
   */
  tokensFrom(position: number, last: number | undefined, max: number): CopiedToken[] {
    const tokens: CopiedToken[] = [];
    let at = this.#settled(position, last);
    while (at < this.units.length && tokens.length < max) {
      const index = this.#tokenOf[at];
      const tokenId = index < 0 ? this.#pieces.tokenAt(this.units, at) : this.#tokenIds[index];
      if (tokenId === undefined) break;
      tokens.push({ tokenId, probability: this.#probabilities?.[index] });
      at += this.#pieces.units(tokenId).length;
    }
    return tokens;
  }

  /**
   * Where the text goes on, given the token before. If that token and the units after it could be one token, and the target
   * did not choose that one, then these units do not follow: after `a` of ` an`, the `n` is left out.
   */
  #settled(position: number, last: number | undefined): number {
    if (last === undefined) return position;
    const piece = this.#pieces.units(last);
    const rest = this.units.subarray(position, position + this.#pieces.longest);
    const joined = this.#pieces.tokenAt(joinTokens(piece, rest), 0);
    if (joined === undefined || this.#pieces.units(joined).length <= piece.length) return position;
    let next = position;
    while (this.#tokenOf[next] === -1) next++;
    return next;
  }
}
