import type { Proposal } from './edits.js';
import type { RefusedWords, WordReader } from './refused-words.js';
import { STRETCH } from './spans.js';

/** Which edits are made, and which are not, since they would bring in a listed word. */
export interface Sifted {
  readonly made: readonly Proposal[];
  readonly refused: readonly Proposal[];
}

/**
 * Leaves out edits that bring in a listed word, such as those that make a phrase together with their neighbours. Where one is
 * taken back, only what follows it is read again, up to that word. Yields between parts of the text.
 */
export function* withoutRefused(
  text: string,
  proposals: readonly Proposal[],
  words: RefusedWords,
): Generator<undefined, Sifted, undefined> {
  if (words.empty || proposals.length === 0) return { made: proposals, refused: [] };
  const sifting = new Sifting(text, proposals, words.reader(yield* words.heldBy(text)));
  let steps = 0;
  while (sifting.goOn()) if (++steps % STRETCH === 0) yield;
  return sifting.result();
}

/** An edit that is made as far as is known. */
interface Made {
  readonly index: number;
  /** Where it begins and ends in the output, in characters. */
  readonly start: number;
  end: number;
  /** How far listed words were read before it. */
  readonly place: WordReader['place'];
}

/** Reads the output character by character: by turns what lies before an edit, and what the edit puts in. */
class Sifting {
  readonly #text: string;
  readonly #proposals: readonly Proposal[];
  readonly #reader: WordReader;
  readonly #made: Made[] = [];
  readonly #refused = new Set<number>();
  /** Characters of the output that were read. */
  #written = 0;
  #part: string;
  #at = 0;
  /** The edit that is being read, if one is. */
  #open: Made | undefined;
  /** The edit that comes next. */
  #next = 0;

  constructor(text: string, proposals: readonly Proposal[], reader: WordReader) {
    this.#text = text;
    this.#proposals = proposals;
    this.#reader = reader;
    this.#part = text.slice(0, proposals[0].start);
  }

  /** Reads one character or goes on to the next part; false at the end. */
  goOn(): boolean {
    if (this.#at < this.#part.length) {
      const [character] = this.#part.slice(this.#at, this.#at + 2);
      if (!this.#takesBack(this.#reader.read(character))) {
        this.#at += character.length;
        this.#written++;
      }
      return true;
    }
    if (this.#open !== undefined) {
      this.#open.end = this.#written;
      this.#readTextAfter(this.#proposals[this.#open.index].end);
      return true;
    }
    if (this.#next < this.#proposals.length) {
      this.#readEdit(this.#next++);
      return true;
    }
    return this.#takesBack(this.#reader.read(''));
  }

  result(): Sifted {
    return {
      made: this.#made.map(({ index }) => this.#proposals[index]),
      refused: this.#proposals.filter((_, index) => this.#refused.has(index)),
    };
  }

  #readEdit(index: number): void {
    const { start, after } = this.#proposals[index];
    if (this.#refused.has(index)) {
      this.#readTextAfter(start);
      return;
    }
    this.#open = { index, start: this.#written, end: Number.POSITIVE_INFINITY, place: this.#reader.place };
    this.#made.push(this.#open);
    this.#part = after;
    this.#at = 0;
  }

  /** The text from a place up to the edit that comes next. */
  #readTextAfter(start: number): void {
    this.#open = undefined;
    this.#part = this.#text.slice(start, this.#proposals[this.#next]?.start);
    this.#at = 0;
  }

  /** Whether an edit was taken back for a word of so many characters that ends here: the first of those that touch it. */
  #takesBack(characters: number | undefined): boolean {
    if (characters === undefined) return false;
    const begin = this.#written - characters;
    let first = this.#made.length;
    while (first > 0 && this.#made[first - 1].end >= begin) first--;
    const [taken] = this.#made.splice(first);
    // A word that no edit touches was there before.
    if (taken === undefined) return false;
    this.#refused.add(taken.index);
    this.#written = taken.start;
    this.#reader.place = taken.place;
    this.#next = taken.index + 1;
    this.#readTextAfter(this.#proposals[taken.index].start);
    return true;
  }
}
