/**
 * Cuts a text before the stop that is completed first, as users of the AI SDK expect: the decoder's own output holds the stop.
 *
 * What may yet become a stop is held back, so that pieces and whole text are cut at the same place.
 */
export class StopText {
  readonly #stops: readonly string[];
  #held = '';
  #over = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** What of the text so far may be given out. */
  push(piece: string): string {
    if (this.#over) return '';
    const text = this.#held + piece;
    const [first] = this.#stops
      .map((stop) => ({ start: text.indexOf(stop), length: stop.length }))
      .filter(({ start }) => start >= 0)
      .sort((a, b) => a.start + a.length - (b.start + b.length) || a.start - b.start);
    if (first !== undefined) {
      this.#over = true;
      this.#held = '';
      return text.slice(0, first.start);
    }
    const held = Math.max(0, ...this.#stops.map((stop) => standing(text, stop)));
    this.#held = text.slice(text.length - held);
    return text.slice(0, text.length - held);
  }

  /** The rest, after the last piece. */
  end(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }
}

/** How many characters of a stop, not all, stand at the end of a text. */
function standing(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
