import type { TextTokenizer } from '@foretoken/models';

/** What a token reads as on a page: its text, a blank before it where a word begins, its own name where it has no text. */
export function displayText(tokenizer: Pick<TextTokenizer, 'decode' | 'tokenText'>, tokenId: number): string {
  const name = tokenizer.tokenText(tokenId);
  const text = tokenizer.decode([tokenId]);
  if (text === '' || text.includes('\uFFFD')) return name;
  const begins = name.startsWith('\u0120') || name.startsWith('\u2581');
  return begins && !text.startsWith(' ') ? ` ${text}` : text;
}
