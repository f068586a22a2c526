import type { DraftingCosts } from '@foretoken/core';

/** Openings before their times count: the first may load graphs, and one may hit a slow moment of the machine. */
const OPENINGS = 3;

/** How often in a row costs may keep a drafter closed before it is tried again; twice as often each time. */
const FIRST_PATIENCE = 2;

/**
 * What drafting takes, measured while it is done: the least time seen, since other work on the machine only ever adds to it. It
 * tells a decoder when drafts cannot pay; outputs never depend on it.
 */
export class DraftingTimes {
  #openings = 0;
  #open = Number.POSITIVE_INFINITY;
  #propose = Number.POSITIVE_INFINITY;
  /** Times that costs were told since the drafter was opened last, and after how many they are not told once. */
  #told = 0;
  #patience = FIRST_PATIENCE;

  /**
   * Absent until enough was seen, and now and then where nobody opens the drafter for what it costs: a process just started is
   * slow, and what is never opened is never measured again.
   */
  get costs(): DraftingCosts | undefined {
    if (this.#openings < OPENINGS || !Number.isFinite(this.#propose)) return undefined;
    if (this.#told++ < this.#patience) return { open: this.#open, propose: this.#propose };
    this.#told = 0;
    this.#patience *= 2;
    return undefined;
  }

  /** `milliseconds` for opening `rows` sources. */
  opened(milliseconds: number, rows: number): void {
    this.#openings++;
    this.#told = 0;
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
