import { assertInteger } from '@foretoken/core/kit';
import type { TextTokenizer } from './text-tokenizer.js';

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

/** The half of a tokenizer that reads tokens, which is the same for all kinds. */
export function readTokens(tokens: Tokens): Pick<TextTokenizer, 'decode' | 'tokenText' | 'countUnknown'> {
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
