import type { Output } from '../io.js';

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
// Without wrapping, a line stays one line however wide its characters are, so the way back up is known.
const NO_WRAP = '\x1b[?7l';
const WRAP = '\x1b[?7h';

/** Undoes whatever a live region did to a terminal. */
export const RESTORE: string = `${WRAP}\x1b[0m${SHOW_CURSOR}`;

/** Lines at the end of a terminal that can be drawn again. Whoever opens one restores it on every path. */
export class LiveRegion {
  readonly #stream: Output;
  #height = 0;
  #touched = false;

  constructor(stream: Output) {
    this.#stream = stream;
  }

  draw(lines: readonly string[]): void {
    const begin = this.#touched ? '' : HIDE_CURSOR;
    this.#touched = true;
    this.#stream.write(`${begin}${NO_WRAP}${this.#clear()}${lines.map((line) => `${line}\n`).join('')}`);
    this.#height = lines.length;
  }

  /** Draws for the last time; the next `draw` starts below. Long lines wrap. */
  settle(lines: readonly string[]): void {
    this.#stream.write(`${WRAP}${this.#clear()}${lines.map((line) => `${line}\n`).join('')}`);
    this.#height = 0;
  }

  restore(): void {
    if (this.#touched) this.#stream.write(RESTORE);
    this.#touched = false;
  }

  #clear(): string {
    return this.#height === 0 ? '' : `\x1b[${this.#height}A\r\x1b[J`;
  }
}
