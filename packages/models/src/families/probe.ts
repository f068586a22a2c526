/** Milliseconds of one run of something, measured several times; the smallest is the least disturbed by others. */
export async function fastestRun(run: () => Promise<unknown>, repeats: number): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const began = performance.now();
    await run();
    best = Math.min(best, performance.now() - began);
  }
  return best;
}

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

  /** Measures widths `1..most`, interleaved so that a slow moment of the machine hits them alike. */
  static async measure(most: number, repeats: number, run: (width: number) => Promise<unknown>): Promise<WidthCosts> {
    const costs = new Array<number>(most).fill(Number.POSITIVE_INFINITY);
    for (let repeat = 0; repeat <= repeats; repeat++) {
      for (let width = 1; width <= most; width++) {
        const cost = await fastestRun(() => run(width), 1);
        // The first round warms up memory and caches.
        if (repeat > 0) costs[width - 1] = Math.min(costs[width - 1] as number, cost);
      }
    }
    return new WidthCosts(costs);
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
