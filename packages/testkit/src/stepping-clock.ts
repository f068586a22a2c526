/**
 * Stands in for `performance.now` until it is disposed of: every look is `stepMs` milliseconds later than the one before.
 *
 * Code that yields to the event loop by the clock then does so at known steps, on a machine however busy.
 */
export class SteppingClock implements Disposable {
  /** How often the time was asked for. */
  looks = 0;
  readonly #original: () => number = performance.now;

  constructor(stepMs: number) {
    performance.now = () => stepMs * this.looks++;
  }

  [Symbol.dispose](): void {
    performance.now = this.#original;
  }
}
