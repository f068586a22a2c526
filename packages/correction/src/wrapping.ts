import { isSpace, type Span } from './spans.js';

/** Lines of wrapped text have at least so many units, but for the last. */
const NARROWEST = 32;
/** People who break lines themselves do it before this share of the width at the earliest. */
const RAGGED = 0.75;
/** Units at the end of a line that tell whether a sentence ends there. */
const TAIL = 12;
/** Units of a word that is looked at. */
const LONGEST_WORD = 64;
const ENDS = /[.!?…:;|][)\]"'”’*_]{0,7}$/u;
const SMALL = /^\p{Ll}/u;
/** The first word of a line that may go on, with what opens it; after a word that ends no sentence it may have a capital. */
const GOES_ON = /^[("'“‘`[]?\p{Ll}[\p{L}\p{M}'’-]*|^[([`]\p{Lu}[\p{L}\p{M}'’-]*/u;
const GOES_ON_WITH_NAME = /^[("'“‘`[]?\p{L}[\p{L}\p{M}'’-]*/u;
const OPEN_WORD =
  /(?:^|\s)(?:an?|the|of|to|at|by|for|from|with|and|or|nor|as|than|into|upon|under|between|without|within|via|per|its|their|our|your|my|every)$/u;

/**
 * Tells a sentence that goes on in the next line, as mail programs and editors wrap text, from what is said line by line. It goes
 * on where the line ends no sentence, the next one begins in lower case or with a bracket, and its first word had no room on the
 * line before, which is about as wide as its neighbours. With a capital it goes on after a word that ends no sentence, such as
 * `the`. Who begins in lower case, without a mark, writes line by line.
 */
export class Wrapping {
  readonly #text: string;
  #last: Span | undefined;
  /** Units of the longest line of a sentence's. */
  #widest = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next line is not the neighbour of the last. */
  interrupt(): void {
    this.#last = undefined;
  }

  /** Whether a line goes on with a sentence of the line before; `prose` is what of it may hold sentences. */
  goesOn(line: Span, prose: Span): boolean {
    const last = this.#last;
    const width = prose.end - prose.start;
    const head = this.#text.slice(prose.start, Math.min(prose.end, prose.start + LONGEST_WORD));
    const tail = last === undefined ? '' : this.#text.slice(Math.max(last.start, last.end - TAIL), last.end);
    const word = (OPEN_WORD.test(tail) ? GOES_ON_WITH_NAME : GOES_ON).exec(head)?.[0];
    const marked = !this.#isBlank(line.start, prose.start);
    const closed = !this.#isBlank(prose.end, line.end);
    this.#last = closed ? undefined : prose;
    if (last !== undefined && word !== undefined && !marked) {
      const lastWidth = last.end - last.start;
      const widest = Math.max(this.#widest, lastWidth, width);
      const full = lastWidth + 1 + word.length > RAGGED * widest;
      if (this.#widest >= NARROWEST && full && !ENDS.test(tail)) {
        this.#widest = widest;
        return true;
      }
    }
    this.#widest = marked || !SMALL.test(head) ? width : 0;
    return false;
  }

  #isBlank(start: number, end: number): boolean {
    for (let at = start; at < end; at++) if (!isSpace(this.#text.charCodeAt(at))) return false;
    return true;
  }
}
