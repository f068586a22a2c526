/** Turns token ids into text, special tokens left out; a tokenizer's `decode`. */
export type TextOf = (tokenIds: readonly number[]) => string;

/** A character whose bytes are not all there yet reads as this. */
const INCOMPLETE = '\uFFFD';

/** Tokens before the new ones that are decoded with them, so that spaces between words come out right. */
const CONTEXT = 6;

/**
 * Text of an output that grows token by token, in pieces that never break a character: joined, they are the text of all
 * tokens.
 *
 * Each piece costs a decode of a few tokens, so an output costs as much as it is long.
 */
export class TextDeltas {
  readonly #textOf: TextOf;
  readonly #tokenIds: number[] = [];
  /** Where the window begins that is decoded next. */
  #begin = 0;
  /** Tokens whose text was given out. */
  #read = 0;
  #given = '';

  constructor(textOf: TextOf) {
    this.#textOf = textOf;
  }

  /** The text that these tokens add; empty while a character is incomplete. */
  push(tokenIds: Iterable<number>): string {
    for (const tokenId of tokenIds) this.#tokenIds.push(tokenId);
    const before = this.#textOf(this.#tokenIds.slice(this.#begin, this.#read));
    const after = this.#textOf(this.#tokenIds.slice(this.#begin));
    // A tokenizer that rewrites what came before is waited for; `end` gives the rest.
    if (after.endsWith(INCOMPLETE) || !after.startsWith(before)) return '';
    this.#read = this.#tokenIds.length;
    this.#begin = Math.max(0, this.#read - CONTEXT);
    const delta = after.slice(before.length);
    this.#given += delta;
    return delta;
  }

  /** The rest of the text, once no more tokens come. */
  end(): string {
    const whole = this.#textOf(this.#tokenIds);
    const rest = whole.startsWith(this.#given) ? whole.slice(this.#given.length) : this.#rewritten();
    this.#given += rest;
    return rest;
  }

  /** Where text that was given out reads differently by now: the window's text from there on, so that nothing is lost. */
  #rewritten(): string {
    const before = this.#textOf(this.#tokenIds.slice(this.#begin, this.#read));
    const after = this.#textOf(this.#tokenIds.slice(this.#begin));
    let shared = 0;
    while (shared < before.length && before[shared] === after[shared]) shared++;
    return after.slice(shared);
  }
}
