/** A padded forward must cost at most this much of the narrow one. */
const PADDING_MUST_SAVE = 0.8;

/** Forwards of each width, where there is time for them. */
const REPEATS = 8;

/** Longest that a forward may seem to take, in forwards of its nodes or rows one by one. */
export const MAX_EXCESS = 1.25;

/** By a clock that stands still no budget can be kept, so after so many pieces of work without time there is none. */
const MAX_STILL = 17;

/** Milliseconds of a steady clock, such as `performance.now`. */
export type Clock = () => number;

/** The time that measuring may take. */
export class ProbeBudget {
  readonly clock: Clock;
  readonly #milliseconds: number;
  #spent = 0;
  #last = 0;
  /** Pieces of work in a row that took no time. */
  #still = 0;

  constructor(milliseconds: number, clock: Clock = () => performance.now()) {
    this.#milliseconds = milliseconds;
    this.clock = clock;
  }

  /** Milliseconds of work so far; NaN where the clock showed no number. */
  get spent(): number {
    return this.#spent;
  }

  /** Whether work of `milliseconds` fits, by default as long as the last. False where the clock shows nonsense. */
  fits(milliseconds: number = this.#last): boolean {
    return this.#still < MAX_STILL && this.#milliseconds - this.#spent > milliseconds;
  }

  /** Does the work and says how many milliseconds it took. */
  async spend(work: () => Promise<unknown>): Promise<number> {
    const time = await timed(this.clock, work);
    // A clock that is set back gives no time back.
    this.#last = Math.max(0, time);
    this.#spent += this.#last;
    this.#still = time > 0 ? 0 : this.#still + 1;
    return time;
  }
}

/** Milliseconds that `work` takes. */
export async function timed(clock: Clock, work: () => Promise<unknown>): Promise<number> {
  const began = clock();
  await work();
  return clock() - began;
}

/** Cost of one forward by the number of new nodes in a row, as measured on this machine. */
export class WidthCosts {
  /** Milliseconds of a forward with `index + 1` nodes a row, before padding; empty where nothing sensible was measured. */
  readonly measured: readonly number[];
  /** The same without lone outliers. */
  readonly #steady: readonly number[];
  readonly #padded: Int32Array;

  /** Measurements that are not positive throughout, or longer than any, count as none. */
  constructor(measured: readonly number[]) {
    this.measured = measured.every(isDuration) ? measured : [];
    this.#steady = steadied(this.measured);
    this.#padded = Int32Array.from(this.#steady, (cost, index) => {
      let best = index;
      // Padding must pay clearly: within the noise of the clock a wider forward is only wider.
      for (let wider = index + 1; wider < this.#steady.length; wider++) {
        const limit = best === index ? PADDING_MUST_SAVE * cost : this.#steady[best];
        if (this.#steady[wider] < limit) best = wider;
      }
      return best + 1;
    });
  }

  /**
   * Measures widths `1..widest`, interleaved so that a slow moment of the machine hits them alike. The ends come first, each
   * twice more than the others. A width without a time is run while any of the budget is left: a slow warm-up says little of it.
   * Where the budget ends early, widths without two times are interpolated; without a time of the narrowest and the widest there
   * are no costs, nor where the widest took longer than its nodes one by one.
   */
  static async measure(
    widest: number,
    budget: ProbeBudget,
    run: (width: number) => Promise<unknown>,
  ): Promise<WidthCosts> {
    const times = Array.from({ length: widest }, (): number[] => []);
    // The first forward warms up memory and caches, the widest all of them.
    await budget.spend(() => run(widest));
    const turn = coarseFirst(widest);
    const ends = turn.slice(0, 2);
    for (const width of [ends, ends, ...Array.from({ length: REPEATS }, () => turn)].flat()) {
      const known = times[width - 1];
      if (!budget.fits(typicalTime(known) ?? 0)) break;
      const time = await budget.spend(() => run(width));
      if (isDuration(time)) known.push(time);
    }
    // A single time may have hit a slow moment, but where no more fit, it has to do for the ends.
    const typical = times.map((known, index) =>
      known.length > 1 || ends.includes(index + 1) ? typicalTime(known) : undefined,
    );
    const costs = new WidthCosts(interpolated(typical));
    const { curve } = costs;
    return curve[widest - 1] > MAX_EXCESS * widest * curve[0] ? new WidthCosts([]) : costs;
  }

  /** The width to run for `width` new nodes: the cheapest that holds them. */
  padded(width: number): number {
    return this.#padded[width - 1] ?? width;
  }

  /**
   * Milliseconds of a forward for `index + 1` nodes, padding included; positive, finite, and never less for more nodes. Empty
   * where nothing was measured.
   */
  get curve(): readonly number[] {
    return nonDecreasing(Array.from(this.#padded, (width) => this.#steady[width - 1]));
  }
}

/** Whether a clock may have shown this for a piece of work: sums of such times stay finite. */
export function isDuration(milliseconds: number): boolean {
  return milliseconds > 0 && milliseconds < 1e99;
}

/** Widths `1..widest`: the ends, powers of two between them, all others. */
function coarseFirst(widest: number): number[] {
  const rank = (width: number): number =>
    width === 1 || width === widest ? 0 : Number.isInteger(Math.log2(width)) ? 1 : 2;
  const widths = Array.from({ length: widest }, (_, index) => index + 1);
  return widths.sort((a, b) => rank(a) - rank(b) || a - b);
}

/** Fills gaps by straight lines; empty unless both ends are there. */
function interpolated(values: readonly (number | undefined)[]): number[] {
  const filled: number[] = [];
  let before = 0;
  for (const [index, value] of values.entries()) {
    if (value === undefined) continue;
    const from = filled.at(-1) ?? value;
    for (let at = before + 1; at < index; at++) filled.push(from + ((value - from) * (at - before)) / (index - before));
    filled.push(value);
    before = index;
  }
  return values[0] !== undefined && filled.length === values.length ? filled : [];
}

/**
 * The lower quartile of times, of few the least: other work on the machine only ever adds to them, and adds most where it comes
 * between. Without times there is none.
 */
export function typicalTime(times: readonly number[]): number | undefined {
  return [...times].sort((a, b) => a - b)[(times.length - 1) >> 2];
}

/** The middle value, of an even number the lower one: other work on the machine only ever adds time. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[(values.length - 1) >> 1];
}

/** Each value replaced by the median of itself and its neighbours, the ends kept: one width alone is seldom cheap or dear. */
function steadied(values: readonly number[]): number[] {
  return values.map((value, index) =>
    index === 0 || index === values.length - 1 ? value : median(values.slice(index - 1, index + 2)),
  );
}

/**
 * A curve near the values that never falls: values that do are pooled with those before and share their median (pool adjacent
 * violators, Ayer et al., 1955, with medians, which outliers do not move).
 */
function nonDecreasing(values: readonly number[]): number[] {
  const pools: { readonly values: readonly number[]; readonly level: number }[] = [];
  for (const value of values) {
    let pool: (typeof pools)[number] = { values: [value], level: value };
    for (let last = pools.at(-1); last !== undefined && last.level > pool.level; last = pools.at(-1)) {
      const pooled: number[] = [...last.values, ...pool.values];
      pool = { values: pooled, level: median(pooled) };
      pools.pop();
    }
    pools.push(pool);
  }
  return pools.flatMap(({ values: pooled, level }) => pooled.map(() => level));
}
