import { callback, text, tokenList } from '@foretoken/core/kit';

/** Turns token ids into text, special tokens left out; a tokenizer's `decode`. */
export type TextOf = (tokenIds: readonly number[]) => string;

/** A code point whose bytes are not all there yet reads as this. */
const INCOMPLETE = '\uFFFD';

/** Text is given out once it has stayed the same while so many more tokens changed the text. */
const HELD = 3;
/** A window of so many tokens is cut to its last ones where these read the same alone. */
const CUT_AT = 16;
/** Tokens that a cut leaves before those that are held: the first of these numbers that reads the same alone. */
const LEFT = [5, 6, 7, 8] as const;
/** A window that has grown by more than this since it was read, but cannot be cut, is not read before it is twice as long. */
const LONGEST = 24;
/** Parts a text into what readers see as characters, however many code points each is: a letter and its marks, a flag, a family: the segmenter's default. */
const CHARACTERS = new Intl.Segmenter();
/** Code units of a character; what goes on for longer is given out in parts, so that no output is held back for ever. */
const MAX_CHARACTER = 64;

/**
 * Text of an output that grows token by token, in pieces that never break a character: what readers see as one, a grapheme cluster
 * of Unicode (UAX #29).
 *
 * Tokenizers change text that they gave before: they complete a character, take a blank away before a full stop, show a blank
 * once something follows. So a piece is given out when three more tokens that changed the text have left it as it was. The pieces joined are the
 * text of all tokens for every tokenizer that changes no text after that. Of one that does, the text that follows the change
 * is given too, and the changed text with it.
 *
 * Each token costs a decode of a few tokens, so an output costs as much as it is long. Where a few tokens do not read as they
 * do among all, more and more are read together, and pieces come later.
 */
export class TextDeltas {
  readonly #textOf: TextOf;
  readonly #tokenIds: number[] = [];
  /** Where the window begins: the tokens that are read together. */
  #begin = 0;
  /** Texts of the window after each of the last tokens that changed it, the newest last. */
  #texts: Reading[] = [];
  /** What the window's text begins with and was given out. */
  #shown = '';
  /** All that was given out. */
  #given = '';
  /** Length of the window before which it is not read. */
  #readAt = 0;

  /** Throws `INVALID_ARGUMENT`, as later where `textOf` returns anything but a string. */
  constructor(textOf: TextOf) {
    this.#textOf = callback<TextOf>(text)('textOf', textOf);
  }

  /** The text that is settled by these tokens; empty while none is. */
  push(tokenIds: readonly number[] | Int32Array): string {
    let delta = '';
    for (const tokenId of tokenList('tokenIds', tokenIds)) {
      this.#tokenIds.push(tokenId);
      delta += this.#settle();
    }
    this.#given += delta;
    return delta;
  }

  /** The rest of the text, once no more tokens come. */
  end(): string {
    const whole = this.#textOf(this.#tokenIds);
    const rest = whole.startsWith(this.#given)
      ? whole.slice(this.#given.length)
      : this.#changed(this.#read(this.#begin, this.#tokenIds.length));
    this.#given += rest;
    return rest;
  }

  #settle(): string {
    const length = this.#tokenIds.length - this.#begin;
    if (length < this.#readAt) return '';
    const text = this.#read(this.#begin, this.#tokenIds.length);
    if (this.#texts.at(-1)?.text !== text) this.#texts.push({ end: this.#tokenIds.length, text });
    if (this.#texts.length > HELD + 1) this.#texts.shift();
    const delta = this.#texts.length > HELD ? this.#show() : '';
    if (length >= CUT_AT) this.#shorten(length);
    return delta;
  }

  #show(): string {
    const same = completeBytes(this.#texts.map(({ text }) => text).reduce(sharedBeginning));
    const begin = sharedBeginning(this.#shown, same).length;
    const newest = this.#texts[HELD].text;
    const settled = newest.slice(0, begin + wholeCharacters(newest.slice(begin), same.length - begin));
    if (this.#shown.startsWith(settled)) return '';
    const delta = this.#changed(settled);
    this.#shown = settled;
    return delta;
  }

  /** What `text` adds to what was shown; where that reads differently by now, from the first difference on. */
  #changed(text: string): string {
    return text.slice(sharedBeginning(this.#shown, text).length);
  }

  #read(begin: number, end: number): string {
    return this.#textOf(this.#tokenIds.slice(begin, end));
  }

  #shorten(length: number): void {
    if (this.#texts.length > HELD && LEFT.some((left) => this.#cutTo(left))) {
      this.#readAt = 0;
    } else if (length >= this.#readAt + LONGEST) {
      this.#readAt = 2 * length;
      this.#texts = [];
    }
  }

  /** Leaves `left` tokens and the held ones in the window, if they read alone as they do in it, with each of the held ones. */
  #cutTo(left: number): boolean {
    const [oldest] = this.#texts;
    const newest = this.#texts.at(-1);
    if (oldest === undefined || newest === undefined || oldest.end - left <= this.#begin) return false;
    const begin = oldest.end - left;
    const cut = this.#texts.map(({ end }) => ({ end, text: this.#read(begin, end) }));
    const { text } = cut[cut.length - 1];
    const shared = sharedEnd(newest.text, text);
    const before = newest.text.slice(0, newest.text.length - shared);
    const added = text.length - shared;
    // Some text that was shown must be there, or blanks that yet may show would be at the beginning, where they never do.
    if (before.length >= this.#shown.length) return false;
    const same = this.#texts.every(
      (long, index) => long.text.startsWith(this.#shown) && long.text === before + cut[index]?.text.slice(added),
    );
    if (!same) return false;
    this.#begin = begin;
    this.#texts = cut;
    this.#shown = text.slice(0, added + this.#shown.length - before.length);
    return true;
  }
}

/** Text of a window up to a token. */
interface Reading {
  readonly end: number;
  readonly text: string;
}

/** A text without a code point at its end that may yet be completed, however many tokens without text come first. */
function completeBytes(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === INCOMPLETE) end--;
  return text.slice(0, end).replace(/[\uD800-\uDBFF]$/, '');
}

/** Where the character begins that goes on at `end`, or begins there. The last of a text may go on with what follows. */
function wholeCharacters(text: string, end: number): number {
  const whole = CHARACTERS.segment(text).containing(Math.min(end, text.length - 1))?.index ?? 0;
  return end - whole > MAX_CHARACTER ? end : whole;
}

function sharedBeginning(a: string, b: string): string {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return a.slice(0, length);
}

/** Characters that both texts end with. */
function sharedEnd(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[a.length - 1 - length] === b[b.length - 1 - length]) length++;
  return length;
}
