/** Every printable ASCII character, and words with the space before them. */
const WORDS = ['the', ' the', ' cat', ' sat', ' on', ' an', ' a', ' mat', ' lot', ' of', 'ould', ' w', '🙂', ' 🙂'];

export const TEXTS = [
  '',
  '<pad>',
  '<unk>',
  ...Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)),
  ...WORDS,
];

export const VOCABULARY = { size: TEXTS.length, endTokenId: 0, padTokenId: 1, unknownTokenId: 2 };

export const tokenText = (tokenId: number): string => TEXTS[tokenId];

/** The longest tokens first, from the beginning on. */
export function encode(text: string): number[] {
  if (text === '') return [];
  const fitting = TEXTS.filter((token, tokenId) => tokenId > 2 && text.startsWith(token));
  const longest = fitting.reduce((best, token) => (token.length > best.length ? token : best));
  return [TEXTS.lastIndexOf(longest), ...encode(text.slice(longest.length))];
}

export const decode = (tokenIds: ArrayLike<number>): string => Array.from(tokenIds, tokenText).join('');
