import { isSpace, type Span } from './spans.js';

/** Lines of wrapped text have at least so many units, but for the last. */
const NARROWEST = 32;
/** People who break lines themselves do it before this share of the width at the earliest. */
const RAGGED = 0.75;
/** Units at the end of a line that tell whether a sentence ends there. */
const TAIL = 8;
/** Units of a word that is looked at. */
const LONGEST_WORD = 64;
const ENDS = /[.!?…:;|][)\]"'”’*_]{0,7}$/u;
const GOES_ON = /^\p{Ll}[\p{L}\p{M}'’-]*/u;

/**
 * Tells a sentence that goes on in the next line, as mail programs and editors wrap text, from what is said line by line. It goes
 * on where the line ends no sentence, the next one begins in lower case and without a mark, and its first word had no room on the
 * line before, which is about as wide as its neighbours. Who begins in lower case, without a mark, writes line by line.
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
    const word = GOES_ON.exec(this.#text.slice(prose.start, Math.min(prose.end, prose.start + LONGEST_WORD)))?.[0];
    const marked = !this.#isBlank(line.start, prose.start);
    const closed = !this.#isBlank(prose.end, line.end);
    this.#last = closed ? undefined : prose;
    if (last !== undefined && word !== undefined && !marked) {
      const lastWidth = last.end - last.start;
      const widest = Math.max(this.#widest, lastWidth, width);
      const tail = this.#text.slice(Math.max(last.start, last.end - TAIL), last.end);
      const full = lastWidth + 1 + word.length > RAGGED * widest;
      if (this.#widest >= NARROWEST && full && !ENDS.test(tail)) {
        this.#widest = widest;
        return true;
      }
    }
    this.#widest = word === undefined || marked ? width : 0;
    return false;
  }

  #isBlank(start: number, end: number): boolean {
    for (let at = start; at < end; at++) if (!isSpace(this.#text.charCodeAt(at))) return false;
    return true;
  }
}
