import type { CorrectionTokenizer } from './model.js';

/** Texts of single tokens, by tokenizer. */
const TEXTS = new WeakMap<CorrectionTokenizer, Map<number, string>>();

function textOf(tokenizer: CorrectionTokenizer, tokenId: number): string {
  const texts = TEXTS.get(tokenizer) ?? new Map<number, string>();
  TEXTS.set(tokenizer, texts);
  const text = texts.get(tokenId) ?? tokenizer.decode([tokenId]);
  texts.set(tokenId, text);
  return text;
}

/** Texts of all tokens of a vocabulary, by tokenizer. */
const ALL = new WeakMap<CorrectionTokenizer, readonly string[]>();

/** Texts of all tokens of a vocabulary, the same array at each call; yields after each token. */
export function* tokenTexts(
  tokenizer: CorrectionTokenizer,
  size: number,
): Generator<undefined, readonly string[], undefined> {
  const known = ALL.get(tokenizer);
  if (known?.length === size) return known;
  const texts: string[] = [];
  for (let tokenId = 0; tokenId < size; tokenId++) {
    texts.push(textOf(tokenizer, tokenId));
    yield;
  }
  ALL.set(tokenizer, texts);
  return texts;
}

/** Where each token of an output ends in its text; `[tokens]`. */
export function tokenEnds(tokenizer: CorrectionTokenizer, tokenIds: Int32Array, text: string): Int32Array {
  const texts = Array.from(tokenIds, (tokenId) => textOf(tokenizer, tokenId));
  const ends = new Int32Array(texts.length);
  const plain = texts.join('') === text;
  for (let token = 0, end = 0; token < ends.length; token++) {
    // Tokens of parts of characters, or such that read differently among others, are read with those before them.
    const length = plain ? end + texts[token].length : tokenizer.decode(tokenIds.subarray(0, token + 1)).length;
    end = token === ends.length - 1 ? text.length : Math.max(end, Math.min(length, text.length));
    ends[token] = end;
  }
  return ends;
}
