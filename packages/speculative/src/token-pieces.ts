import type { Vocabulary } from '@foretoken/core';

/** What the tokens of a vocabulary are made of: characters where their text is known, or else each is a unit of its own. */
export class TokenPieces {
  /** Units of the longest text that a token has. */
  readonly longest: number;
  readonly #textOf: ((tokenId: number) => string) | undefined;
  readonly #units = new Map<number, Int32Array>();
  /** Tokens by their text; none that ends outputs, fills batches or stands for what is unknown. */
  readonly #tokenIds = new Map<string, number>();

  constructor(
    { size, endTokenId, padTokenId, unknownTokenId }: Vocabulary,
    textOf: ((tokenId: number) => string) | undefined,
  ) {
    this.#textOf = textOf;
    let longest = 0;
    for (let tokenId = 0; textOf !== undefined && tokenId < size; tokenId++) {
      if ([endTokenId, padTokenId, unknownTokenId].includes(tokenId)) continue;
      const text = textOf(tokenId);
      if (text === '' || this.#tokenIds.has(text)) continue;
      this.#tokenIds.set(text, tokenId);
      longest = Math.max(longest, text.length);
    }
    this.longest = longest;
  }

  /** UTF-16 units of a token's text; of a token without text, one unit that no character has. */
  units(tokenId: number): Int32Array {
    let units = this.#units.get(tokenId);
    if (units === undefined) {
      const text = this.#textOf?.(tokenId) ?? '';
      units = text === '' ? Int32Array.of(-1 - tokenId) : new Int32Array(text.length);
      for (let at = 0; at < text.length; at++) units[at] = text.charCodeAt(at);
      this.#units.set(tokenId, units);
    }
    return units;
  }

  /** The longest token that spells the units from a position on; `undefined` where none does. */
  tokenAt(units: Int32Array, position: number): number | undefined {
    let text = '';
    for (const unit of units.subarray(position, position + this.longest)) {
      if (unit < 0) break;
      text += String.fromCharCode(unit);
    }
    for (; text !== ''; text = text.slice(0, -1)) {
      const tokenId = this.#tokenIds.get(text);
      if (tokenId !== undefined) return tokenId;
    }
    return undefined;
  }
}
