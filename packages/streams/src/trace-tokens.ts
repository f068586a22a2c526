import type { DecodeEvent } from '@foretoken/core';
import { text, withMethods, wrongValue } from '@foretoken/core/kit';
import { tokenIdsOf } from './token-ids.js';

/** What is used of a tokenizer: the text of tokens, and how the vocabulary spells one. */
export interface TokenTexts {
  /** The text of a list of tokens. */
  decode(tokenIds: ArrayLike<number>): string;
  /** One token as the vocabulary spells it. */
  tokenText(tokenId: number): string;
}

const readTokenizer = withMethods<TokenTexts>('a tokenizer with decode and tokenText', 'decode', 'tokenText');

function readTokens(events: readonly DecodeEvent[]): number[] {
  try {
    if (Array.isArray(events)) return [...tokenIdsOf(events)];
  } catch {}
  throw wrongValue('events', events, 'an array of the events of a decode');
}

/** What each token that events name reads as, for the header of a trace. */
export function traceTokens(events: readonly DecodeEvent[], tokenizer: TokenTexts): Readonly<Record<number, string>> {
  const tokenIds = readTokens(events);
  readTokenizer('tokenizer', tokenizer);
  return Object.fromEntries(tokenIds.map((tokenId) => [tokenId, displayText(tokenizer, tokenId)]));
}

/** A token's text, a blank before it where a word begins; its own name where it has no text. */
function displayText(tokenizer: TokenTexts, tokenId: number): string {
  const name = text('What tokenText gives', tokenizer.tokenText(tokenId));
  const shown = text('What decode gives', tokenizer.decode([tokenId]));
  if (shown === '' || shown.includes('\uFFFD')) return name;
  const begins = name.startsWith('\u0120') || name.startsWith('\u2581');
  return begins && !shown.startsWith(' ') ? ` ${shown}` : shown;
}
