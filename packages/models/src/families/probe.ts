/** Cost of one forward by the number of new nodes in a row, as measured on this machine. */
export class WidthCosts {
  /** Milliseconds of a forward with `index + 1` nodes a row, before padding. */
  readonly measured: readonly number[];
  readonly #padded: Int32Array;

  constructor(measured: readonly number[]) {
    this.measured = measured;
    this.#padded = Int32Array.from(measured, (cost, index) => {
      let best = index;
      // Padding must pay clearly: a tie within the noise of the clock is not worth the wider output.
      for (let wider = index + 1; wider < measured.length; wider++) {
        const limit = best === index ? 0.95 * cost : (measured[best] as number);
        if ((measured[wider] as number) < limit) best = wider;
      }
      return best + 1;
    });
  }

  /**
   * Measures widths `1..most`, interleaved so that a slow moment of the machine hits them alike; medians count, smoothed
   * over neighbouring widths.
   */
  static async measure(most: number, repeats: number, run: (width: number) => Promise<unknown>): Promise<WidthCosts> {
    const times = Array.from({ length: most }, (): number[] => []);
    for (let repeat = 0; repeat <= repeats; repeat++) {
      for (let width = 1; width <= most; width++) {
        const began = performance.now();
        await run(width);
        // The first round warms up memory and caches.
        if (repeat > 0) (times[width - 1] as number[]).push(performance.now() - began);
      }
    }
    const medians = times.map((values) => values.sort((a, b) => a - b)[values.length >> 1] as number);
    return new WidthCosts(smoothed(medians));
  }

  /** The width to run for `width` new nodes: the cheapest that holds them. */
  padded(width: number): number {
    return this.#padded[width - 1] ?? width;
  }

  /** v: the cost of a forward with `index + 1` nodes relative to one node, each at its padded width. */
  get relative(): readonly number[] {
    const cost = (width: number): number => this.measured[this.padded(width) - 1] as number;
    return this.measured.map((_, index) => cost(index + 1) / cost(1));
  }
}

/** Each value averaged with its neighbours, the ends kept: single widths are noisier than the trend they follow. */
function smoothed(values: readonly number[]): number[] {
  return values.map((value, index) => {
    const before = values[index - 1];
    const after = values[index + 1];
    return before === undefined || after === undefined ? value : (before + 2 * value + after) / 4;
  });
}
