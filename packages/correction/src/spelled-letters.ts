import type { CorrectionTokenizer } from './model.js';
import { PLAIN_LETTERS } from './protected-spans.js';
import { tokenTexts } from './token-places.js';

/**
 * The lower-case letters and marks that the tokens of a vocabulary spell, in their order. A token that is a part of a letter
 * spells none: what a vocabulary has only bytes for its model has hardly read. Yields after each token.
 */
export function* spelledLetters(tokenizer: CorrectionTokenizer, size: number): Generator<undefined, string, undefined> {
  const letters = new Set(PLAIN_LETTERS);
  for (const text of yield* tokenTexts(tokenizer, size)) {
    for (const letter of text.toLowerCase().match(/[\p{L}\p{M}]/gu) ?? []) letters.add(letter);
  }
  return [...letters].sort().join('');
}
