import { assertInteger } from '@foretoken/core/kit';

/** What a tokenizer knows of its tokens. */
interface Tokens {
  readonly size: number;
  /** Tokens that no text shows. */
  readonly hidden: ReadonlySet<number | undefined>;
  readonly unknownTokenId: number | undefined;
  /** A token as the vocabulary spells it; undefined for an unused id. */
  spelling(tokenId: number): string | undefined;
  /** The text of tokens that have a spelling, of which there is one at least. */
  join(tokenIds: number[]): string;
}

/** Turns token ids of one model's vocabulary into text. */
export interface TokenReader {
  /** Text of token ids, special tokens left out; empty for none. Throws `INVALID_ARGUMENT` outside the vocabulary. */
  decode(tokenIds: ArrayLike<number>): string;
  /** One token as the vocabulary spells it; empty for an unused id. Throws `INVALID_ARGUMENT` outside the vocabulary. */
  tokenText(tokenId: number): string;
  /** How many of the ids stand for text the tokenizer could not express. */
  countUnknown(tokenIds: ArrayLike<number>): number;
}

/** The half of a tokenizer that reads tokens, which is the same for all kinds. */
export function readTokens(tokens: Tokens): TokenReader {
  const spelling = (tokenId: number): string | undefined => {
    assertInteger('tokenId', tokenId, 0, tokens.size - 1);
    return tokens.spelling(tokenId);
  };
  return {
    decode: (tokenIds) => {
      const shown = Array.from(tokenIds).filter(
        (tokenId) => spelling(tokenId) !== undefined && !tokens.hidden.has(tokenId),
      );
      return shown.length === 0 ? '' : tokens.join(shown);
    },
    tokenText: (tokenId) => spelling(tokenId) ?? '',
    countUnknown: (tokenIds) => Array.from(tokenIds).filter((tokenId) => tokenId === tokens.unknownTokenId).length,
  };
}
