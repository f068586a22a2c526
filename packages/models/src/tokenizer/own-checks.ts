import { type Check, isInteger } from './check-tokenizer.js';
import { MAX_UNIGRAM_TOKEN, MAX_WORD } from './tokenizer-parts.js';

/** Pieces with scores, and the one that is unknown. */
export function checkUnigram(check: Check, { vocab, unk_id: unknown }: Record<string, unknown>): void {
  if (!Array.isArray(vocab)) check.refuse('model.vocab', vocab, 'a list of [token, score]');
  if (vocab.length > check.size) check.tooMany(vocab.length);
  for (const [id, entry] of vocab.entries()) {
    if (!Array.isArray(entry) || typeof entry[0] !== 'string' || typeof entry[1] !== 'number') {
      check.refuse(`model.vocab[${id}]`, entry, '[token, score]');
    }
  }
  if (!isInteger(unknown, 0, vocab.length - 1)) check.refuse('model.unk_id', unknown, 'a token id');
  check.lengths(
    vocab.map((entry: readonly [string, number]) => entry[0]),
    MAX_UNIGRAM_TOKEN,
  );
}

/** Word pieces: the unknown token and the prefix within words. */
export function checkWordPieces(check: Check, model: Record<string, unknown>, vocab: Record<string, unknown>): void {
  const { unk_token: unknown, max_input_chars_per_word: max } = model;
  if (typeof unknown !== 'string' || !Object.hasOwn(vocab, unknown)) {
    check.refuse('model.unk_token', unknown, 'a token of the vocabulary');
  }
  // The library's search takes the cube of a word's length.
  if (max !== undefined && !isInteger(max, 1, MAX_WORD)) {
    check.refuse('model.max_input_chars_per_word', max, `an integer from 1 to ${MAX_WORD}`);
  }
  check.shortText(model, 'continuing_subword_prefix');
}
