import type { CorrectionTokenizer } from './model.js';
import { PLAIN_LETTERS } from './protected-spans.js';
import { type Span, STRETCH } from './spans.js';
import { spelledLetters } from './spelled-letters.js';

const BEYOND_ASCII = /[^\0-\x7F]/;
const PLAIN: ReadonlySet<string> = new Set(PLAIN_LETTERS);

/**
 * The lower-case letters of a model's language: those that are given, else those that its tokens spell. Reading all tokens takes a
 * while, so that is done once, and only for a text that asks for it.
 */
export class Alphabet {
  readonly #tokenizer: CorrectionTokenizer;
  readonly #size: number;
  #letters: string | undefined;
  #set: ReadonlySet<string> | undefined;

  /** `size` is that of the vocabulary. */
  constructor(given: string | undefined, tokenizer: CorrectionTokenizer, size: number) {
    this.#letters = given;
    this.#tokenizer = tokenizer;
    this.#size = size;
  }

  /** The letters, as far as a text asks for them. Yields between tokens. */
  *lettersFor(text: string): Generator<undefined, string, undefined> {
    if (this.#letters === undefined && !BEYOND_ASCII.test(text)) return PLAIN_LETTERS;
    return yield* this.#all();
  }

  /** Whether a part of a text holds one of the letters, in any casing. Yields between parts of the text. */
  *isIn(text: string, { start, end }: Span): Generator<undefined, boolean, undefined> {
    for (let at = start; at < end; at += STRETCH) {
      // One unit more, since a letter may have two.
      const part = text.slice(at, Math.min(end, at + STRETCH + 1)).toLowerCase();
      const letters = yield* this.#setFor(part);
      for (const character of part) if (letters.has(character)) return true;
      yield;
    }
    return false;
  }

  /** What tokens spell is more than the plain letters, so that a part which holds such a one does not ask for it. */
  *#setFor(part: string): Generator<undefined, ReadonlySet<string>, undefined> {
    if (this.#letters === undefined && /[a-z]/.test(part)) return PLAIN;
    this.#set ??= new Set(yield* this.#all());
    return this.#set;
  }

  *#all(): Generator<undefined, string, undefined> {
    this.#letters ??= yield* spelledLetters(this.#tokenizer, this.#size);
    return this.#letters;
  }
}
