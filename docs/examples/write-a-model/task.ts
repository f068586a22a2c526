// Three writers write digits in words, each in a way of their own. A source is digits; an output is one writer's words.
//
//   source 1 2 3:  40 % "eins zwei drei",  31 % "one two three",  29 % "one 2 3"

/** Token ids are indices: digits from 3, German words from 6, English words from 9. */
export const TOKENS: readonly string[] = [
  ...['<end>', '<mask>', '<start>', '1', '2', '3'],
  ...['eins', 'zwei', 'drei', 'one', 'two', 'three'],
];
export const [END, MASK, START, FIRST_DIGIT, LAST_DIGIT]: readonly number[] = [0, 1, 2, 3, 5];
export const VOCABULARY: { readonly size: number; readonly endTokenId: number } = {
  size: TOKENS.length,
  endTokenId: 0,
};
export const MAX_DIGITS = 30;

export interface Writer {
  /** How often this writer is met. */
  readonly share: number;
  /** The token written for a digit at a position. */
  writes(digit: number, position: number): number;
}

export const WRITERS: readonly Writer[] = [
  { share: 0.4, writes: (digit) => digit + 3 },
  { share: 0.31, writes: (digit) => digit + 6 },
  { share: 0.29, writes: (digit, position) => (position === 0 ? digit + 6 : digit) },
];

export const toTokens = (text: string): Int32Array => Int32Array.from(text.split(' '), (word) => TOKENS.indexOf(word));
export const toText = (tokenIds: Int32Array): string => Array.from(tokenIds, (id) => TOKENS[id]).join(' ');
