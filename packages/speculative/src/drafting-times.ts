import type { DraftingCosts } from '@foretoken/core';

/** Openings before their times count: the first may load graphs, and one may hit a slow moment of the machine. */
const OPENINGS = 3;

/**
 * What drafting takes, measured while it is done: the least time seen, since other work on the machine only ever adds to it. It
 * tells a decoder when drafts cannot pay; outputs never depend on it.
 */
export class DraftingTimes {
  #openings = 0;
  #open = Number.POSITIVE_INFINITY;
  #propose = Number.POSITIVE_INFINITY;

  /** Absent until enough was seen. */
  get costs(): DraftingCosts | undefined {
    if (this.#openings < OPENINGS || !Number.isFinite(this.#propose)) return undefined;
    return { open: this.#open, propose: this.#propose };
  }

  /** `milliseconds` for opening `rows` sources. */
  opened(milliseconds: number, rows: number): void {
    this.#openings++;
    this.#open = min(this.#open, milliseconds / rows);
  }

  /** `milliseconds` for proposing for `rows` rows. */
  proposed(milliseconds: number, rows: number): void {
    this.#propose = min(this.#propose, milliseconds / rows);
  }
}

/** A clock that was set back shows nonsense. */
function min(before: number, time: number): number {
  return time >= 0 && time < before ? time : before;
}
