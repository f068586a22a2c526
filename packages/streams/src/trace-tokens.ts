import type { DecodeEvent } from '@foretoken/core';
import { tokenIdsOf } from './token-ids.js';

/** What is used of a tokenizer: the text of tokens, and how the vocabulary spells one. */
export interface TokenTexts {
  decode(tokenIds: ArrayLike<number>): string;
  tokenText(tokenId: number): string;
}

/** What each token that events name reads as, for the header of a trace. */
export function traceTokens(events: readonly DecodeEvent[], tokenizer: TokenTexts): Readonly<Record<number, string>> {
  return Object.fromEntries([...tokenIdsOf(events)].map((tokenId) => [tokenId, displayText(tokenizer, tokenId)]));
}

/** A token's text, a blank before it where a word begins; its own name where it has no text. */
function displayText(tokenizer: TokenTexts, tokenId: number): string {
  const name = tokenizer.tokenText(tokenId);
  const text = tokenizer.decode([tokenId]);
  if (text === '' || text.includes('\uFFFD')) return name;
  const begins = name.startsWith('\u0120') || name.startsWith('\u2581');
  return begins && !text.startsWith(' ') ? ` ${text}` : text;
}
