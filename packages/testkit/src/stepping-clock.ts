import { assertNumber } from '@foretoken/core/kit';

/**
 * Stands in for `performance.now` until it is disposed of: every look is `stepMs` milliseconds later than the one before.
 *
 * Code that yields to the event loop by the clock then does so at known steps, on a machine however busy.
 */
export class SteppingClock implements Disposable {
  /** How often the time was asked for. */
  looks = 0;
  readonly #original: () => number = performance.now;

  /** Throws `INVALID_ARGUMENT` for a step that is no number of milliseconds. */
  constructor(stepMs: number) {
    assertNumber('stepMs', stepMs, 0, Number.MAX_SAFE_INTEGER);
    performance.now = () => stepMs * this.looks++;
  }

  [Symbol.dispose](): void {
    performance.now = this.#original;
  }
}
