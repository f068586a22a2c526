import { largest } from './long-lists.js';
import { TokenPattern } from './token-pattern.js';

/**
 * Cuts a text before the stop that is completed first, as other frameworks expect of theirs: a decoder's own output holds the stop.
 *
 * What may yet become a stop is held back, so that pieces and whole text are cut at the same place. Each unit of the text is looked
 * at a bounded number of times for each stop.
 */
export class StopText {
  /** Stops by their UTF-16 code units. */
  readonly #stops: readonly TokenPattern[];
  /** How much of each stop stands at the end of the text. */
  readonly #standing: number[];
  #held = '';
  #over = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops.map(
      (stop) => new TokenPattern(Int32Array.from({ length: stop.length }, (_, at) => stop.charCodeAt(at))),
    );
    this.#standing = stops.map(() => 0);
  }

  /** What of the text so far may be given out. */
  push(piece: string): string {
    if (this.#over) return '';
    const text = this.#held + piece;
    const before = this.#held.length;
    for (let at = 0; at < piece.length; at++) {
      const length = this.#completedBy(piece.charCodeAt(at));
      if (length === 0) continue;
      this.#over = true;
      this.#held = '';
      return text.slice(0, before + at + 1 - length);
    }
    const held = largest(this.#standing, 0);
    this.#held = text.slice(text.length - held);
    return text.slice(0, text.length - held);
  }

  /** The rest, after the last piece. */
  end(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }

  /** Length of the longest stop that one more unit completes; 0 for none. */
  #completedBy(unit: number): number {
    let longest = 0;
    for (const [index, stop] of this.#stops.entries()) {
      this.#standing[index] = stop.after(this.#standing[index], unit);
      if (this.#standing[index] === stop.length) longest = Math.max(longest, stop.length);
    }
    return longest;
  }
}
