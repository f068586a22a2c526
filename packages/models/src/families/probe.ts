/** A padded forward must cost at most this much of the narrow one. */
const PADDING_MUST_SAVE = 0.8;

/** Cost of one forward by the number of new nodes in a row, as measured on this machine. */
export class WidthCosts {
  /** Milliseconds of a forward with `index + 1` nodes a row, before padding. */
  readonly measured: readonly number[];
  readonly #padded: Int32Array;

  constructor(measured: readonly number[]) {
    this.measured = measured;
    this.#padded = Int32Array.from(measured, (cost, index) => {
      let best = index;
      // Padding must pay clearly: within the noise of the clock a wider forward is only wider.
      for (let wider = index + 1; wider < measured.length; wider++) {
        const limit = best === index ? PADDING_MUST_SAVE * cost : (measured[best] as number);
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
    const medians = times.map(median);
    return new WidthCosts(smoothed(medians));
  }

  /** The width to run for `width` new nodes: the cheapest that holds them. */
  padded(width: number): number {
    return this.#padded[width - 1] ?? width;
  }

  /**
   * v: the cost of a forward with `index + 1` nodes relative to one node, as the line through the measurements. One width's
   * error would make drafts crowd at that width; the trend is what repeats.
   */
  get relative(): readonly number[] {
    if (this.measured.length < 2) return this.measured.map(() => 1);
    const slope = medianSlope(this.measured);
    const first = median(this.measured.map((cost, index) => cost - slope * index));
    const rise = Math.max(0, slope / Math.max(first, Number.MIN_VALUE));
    return this.measured.map((_, index) => 1 + rise * index);
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}

/** Median of the slopes between all pairs (Theil, 1950; Sen, 1968): a third of the values may be far off. */
function medianSlope(values: readonly number[]): number {
  const slopes = values.flatMap((value, index) =>
    values.slice(index + 1).map((later, distance) => (later - value) / (distance + 1)),
  );
  return median(slopes);
}

/** Each value averaged with its neighbours, the ends kept: single widths are noisier than the trend they follow. */
function smoothed(values: readonly number[]): number[] {
  return values.map((value, index) => {
    const before = values[index - 1];
    const after = values[index + 1];
    return before === undefined || after === undefined ? value : (before + 2 * value + after) / 4;
  });
}
