import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProbeBudget, WidthCosts } from '../src/drivers/probe.js';
import { clearlyFastest } from '../src/drivers/probe-threads.js';

/** Costs by width relative to one node. */
function relativeCosts({ curve }: WidthCosts): readonly number[] {
  return curve.map((cost) => Math.min(cost / curve[0], Number.MAX_VALUE));
}

/** A clock that work moves on by itself. */
function scriptedClock() {
  let now = 1000;
  return {
    clock: () => now,
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

const seeded = { seed: 13, numRuns: 2000 };

/** Any measurement: also very small and very large ones. */
const anyPositive = fc.oneof(
  fc.double({ min: Number.MIN_VALUE, max: 9e98, noNaN: true }),
  fc.double({ min: 0.01, max: 50, noNaN: true }),
);

describe('WidthCosts', () => {
  it('gives finite, positive costs that never fall, from 1 up, whatever positive times were measured', () => {
    fc.assert(
      fc.property(fc.array(anyPositive, { minLength: 1, maxLength: 24 }), (measured) => {
        const relative = relativeCosts(new WidthCosts(measured));
        expect(relative).toHaveLength(measured.length);
        expect(relative[0]).toBe(1);
        for (const [index, cost] of relative.entries()) {
          expect(Number.isFinite(cost)).toBe(true);
          expect(cost).toBeGreaterThanOrEqual(relative[index - 1] ?? 1);
        }
      }),
      seeded,
    );
    expect(relativeCosts(new WidthCosts([0.3, 0.2, 0.9, 1.6, 2.4])).every(Number.isFinite)).toBe(true);
  });

  it('is the measured curve itself where that never falls and has no lone outlier', () => {
    const measured = [0.5, 0.5, 0.51, 0.52, 0.53, 0.55, 0.62, 0.68, 0.7, 0.9];
    expect(relativeCosts(new WidthCosts(measured))).toEqual(measured.map((cost) => cost / 0.5));
  });

  it('is not moved by lone outliers', () => {
    const measured = Array.from({ length: 16 }, (_, index) => 0.4 * (1 + 0.1 * index));
    measured[6] = 0.2;
    measured[11] = 5;
    const costs = new WidthCosts(measured);
    expect(relativeCosts(costs)[0]).toBe(1);
    expect(relativeCosts(costs)[10]).toBeCloseTo(2, 5);
    expect(relativeCosts(costs)[15]).toBeCloseTo(2.5, 5);
    expect([1, 2, 3, 4, 5, 6].map((width) => costs.padded(width))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('never says that more nodes cost less', () => {
    const relative = relativeCosts(new WidthCosts([4, 3, 2, 1]));
    expect(relative).toEqual([1, 1, 1, 1]);
  });

  it('pads to a wider forward only where that is clearly cheaper, and counts what the padded one costs', () => {
    expect(new WidthCosts([1, 0.95, 0.9, 0.85]).padded(1)).toBe(1);
    const costs = new WidthCosts([1, 0.95, 0.7, 0.72, 1.44]);
    expect([1, 2, 3, 4, 5, 9].map((width) => costs.padded(width))).toEqual([3, 3, 3, 4, 5, 9]);
    expect(relativeCosts(costs)).toEqual([1, 1, 1, 1, 2]);
    expect(relativeCosts(new WidthCosts([1, 1, 1, 0.7, 0.7, 1.4]))).toEqual([1, 1, 1, 1, 1, 2]);
  });

  it.each([
    ['nothing', []],
    ['zeros of a coarse clock', [0, 0, 0]],
    ['a clock that went back', [0.4, -3, 0.5]],
    ['NaN', [0.4, Number.NaN, 0.5]],
    ['an endless forward', [0.4, 0.5, Number.POSITIVE_INFINITY]],
    ['a forward of absurd length', [0.4, 0.5, Number.MAX_VALUE]],
  ])('has no costs where %s was measured', (_name, measured) => {
    const costs = new WidthCosts(measured);
    expect(costs.measured).toEqual([]);
    expect(relativeCosts(costs)).toEqual([]);
    expect(costs.padded(7)).toBe(7);
  });
});

describe('measuring widths', () => {
  const measure = async (milliseconds: number, costOf: (width: number, forward: number) => number, widest = 16) => {
    const { clock, pass } = scriptedClock();
    const widths: number[] = [];
    const began = clock();
    const costs = await WidthCosts.measure(widest, new ProbeBudget(milliseconds, clock), async (width) => {
      pass(costOf(width, widths.length));
      widths.push(width);
    });
    return { costs, widths, took: clock() - began };
  };

  it('takes turns after one warm-up of the widest, the ends first', async () => {
    const { costs, widths } = await measure(1e6, (width, forward) => (forward === 0 ? 99 : width), 5);
    const turn = [1, 5, 2, 4, 3];
    expect(widths).toEqual([5, 1, 5, 1, 5, ...Array.from({ length: 8 }, () => turn).flat()]);
    expect(costs.measured).toEqual([1, 2, 3, 4, 5]);
  });

  it('takes the lower quartile, so that slow forwards change nothing where they are not three of four', async () => {
    const { costs } = await measure(1e6, (width, forward) => width + (forward % 3 < 2 ? 40 : 0), 4);
    expect(costs.measured).toEqual([1, 2, 3, 4]);
  });

  it('leaves out times that are none, so that a clock may fail now and then', async () => {
    for (const nonsense of [0, -3, Number.NaN]) {
      const { costs } = await measure(1e6, (width, forward) => (forward % 4 < 2 ? nonsense : width), 3);
      // A budget cannot be kept by a clock that shows no number.
      expect(costs.measured).toEqual(Number.isNaN(nonsense) ? [] : [1, 2, 3]);
    }
  });

  it('begins no forward that will not fit, and fills what it did not measure by straight lines', async () => {
    const { costs, widths, took } = await measure(200, (width) => 20 + width);
    expect(widths).toEqual([16, 1, 16, 1, 16, 1]);
    expect(took).toBeLessThanOrEqual(200);
    expect(costs.measured).toEqual(Array.from({ length: 16 }, (_, index) => 21 + index));
  });

  it('has no costs where the budget is not enough for both ends, and is over after one forward at worst', async () => {
    for (const milliseconds of [-5, 0, 1, 50, 99, 150]) {
      const { costs, widths, took } = await measure(milliseconds, () => 100);
      expect(relativeCosts(costs)).toEqual([]);
      expect(took).toBeLessThanOrEqual(Math.max(0, milliseconds) + 100);
      expect(widths.length).toBeLessThanOrEqual(2);
    }
  });

  it('times both ends after a first forward that took most of the budget', async () => {
    const { costs, widths } = await measure(200, (width, forward) => (forward === 0 ? 150 : 20 + width));
    expect(widths).toEqual([16, 1, 16]);
    expect(costs.measured).toEqual(Array.from({ length: 16 }, (_, index) => 21 + index));
  });

  it('never overruns the budget by more than one forward, and gives sound costs or none, whatever the clock shows', async () => {
    const anyTime = fc.oneof(
      fc.double({ min: 0, max: 30, noNaN: true }),
      fc.constantFrom(0, 1000, Number.NaN, -7, Number.POSITIVE_INFINITY),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(anyTime, { minLength: 1, maxLength: 40 }), fc.nat(200), async (times, budget) => {
        const { costs, widths, took } = await measure(budget, (_, forward) => times[forward % times.length]);
        expect(widths.length).toBeLessThanOrEqual(1 + 2 * 2 + 8 * 16);
        const longest = Math.max(...times.slice(0, widths.length));
        if (times.every((time) => time >= 0)) expect(took).toBeLessThanOrEqual(budget + longest + 1e-9);
        expect(relativeCosts(costs).every((cost, index) => cost >= (relativeCosts(costs)[index - 1] ?? 1))).toBe(true);
        expect(relativeCosts(costs).every(Number.isFinite)).toBe(true);
      }),
      { ...seeded, numRuns: 500 },
    );
  });

  it('is changed by no slow moment, however long, but for having no costs', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.05, max: 2, noNaN: true }),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        fc.nat(140),
        fc.oneof(fc.double({ min: 0, max: 200, noNaN: true }), fc.double({ min: 200, max: 1e9, noNaN: true })),
        async (one, more, at, slow) => {
          const costOf = (width: number): number => one * (1 + more * (width - 1));
          const { costs } = await measure(200, (width, forward) => costOf(width) + (forward === at ? slow : 0));
          if (costs.curve.length === 0) {
            // Nothing fits after it, and the ends were not measured yet.
            expect(slow).toBeGreaterThan(100);
            expect(at).toBeLessThan(3);
            return;
          }
          expect(costs.curve).toHaveLength(16);
          // Straight lines end where the curve does.
          for (const [index, cost] of costs.curve.entries()) expect(cost / costOf(index + 1)).toBeCloseTo(1, 6);
        },
      ),
      { seed: 14, numRuns: 1000 },
    );
  });

  it('has no costs where the widest seems to take longer than its nodes one by one', async () => {
    const widestTakes = (time: number) => measure(1e6, (width) => (width === 16 ? time : width));
    expect((await widestTakes(16)).costs.curve).toHaveLength(16);
    for (const time of [21, 33, 1e3, 1e9]) expect((await widestTakes(time)).costs.curve).toEqual([]);
  });

  it('does not count a width between the ends that was measured once', async () => {
    // The first turn meets a slow moment, and the budget ends soon after it.
    const { costs, widths } = await measure(40, (width) => (width === 7 || width === 8 ? 9 : 1));
    expect(widths.filter((width) => width === 7 || width === 8)).toHaveLength(2);
    expect(costs.curve).toEqual(Array(16).fill(1));
  });

  it('passes on what a forward throws', async () => {
    const budget = new ProbeBudget(200, scriptedClock().clock);
    await expect(WidthCosts.measure(4, budget, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('keeps its budget when the clock is set back, however far', async () => {
    for (const back of [-1, -1e3, -1e12, Number.NEGATIVE_INFINITY]) {
      const { widths } = await measure(200, (_, forward) => (forward === 3 ? back : 10));
      // A clock that came from beyond all numbers shows none after it.
      expect(widths.length).toBe(Number.isFinite(back) ? 21 : 5);
    }
  });

  it('gives up after one turn by a clock that stands still', async () => {
    const { costs, widths } = await measure(200, () => 0);
    expect(widths).toHaveLength(1 + 16);
    expect(costs.curve).toEqual([]);
  });
});

describe('comparing thread counts', () => {
  const compare = async (milliseconds: number, costs: readonly ((turn: number) => number)[]) => {
    const { clock, pass } = scriptedClock();
    let calls = 0;
    const turns = costs.map(() => 0);
    const ways = costs.map((cost, way) => async () => {
      calls++;
      pass(cost(turns[way]++));
    });
    return { chosen: await clearlyFastest(ways, new ProbeBudget(milliseconds, clock)), calls };
  };

  it('keeps the first unless another saves much', async () => {
    expect((await compare(1e6, [() => 10, () => 6.1])).chosen).toBe(0);
    expect((await compare(1e6, [() => 10, () => 5.9])).chosen).toBe(1);
    expect((await compare(1e6, [() => 10, () => 5, () => 4, () => 4.1])).chosen).toBe(2);
    expect((await compare(1e6, [() => 10, () => 30])).chosen).toBe(0);
  });

  it('does not count the warm-up', async () => {
    expect((await compare(1e6, [(turn) => (turn === 0 ? 1000 : 10), () => 9])).chosen).toBe(0);
    expect((await compare(1e6, [() => 10, (turn) => (turn === 0 ? 1000 : 3)])).chosen).toBe(1);
  });

  it('never chooses what is slower when the machine disturbs up to a quarter of the turns', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 1, max: 3, noNaN: true }),
        fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { maxLength: 2 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { maxLength: 2 }),
        fc.double({ min: 0, max: 100, noNaN: true }),
        async (slower, slowFirst, slowSecond, disturbance) => {
          const first = (turn: number): number => 5 + (slowFirst.includes(turn) ? disturbance : 0);
          const second = (turn: number): number => 5 * slower + (slowSecond.includes(turn) ? disturbance : 0);
          expect((await compare(1e6, [first, second])).chosen).toBe(0);
        },
      ),
      seeded,
    );
  });

  it('keeps the first where another saves much in most turns, but not in three of four', async () => {
    const fastBut = (slow: readonly number[]) => (turn: number) => (slow.includes(turn) ? 12 : 3);
    expect((await compare(1e6, [() => 10, fastBut([2, 5, 7])])).chosen).toBe(0);
    expect((await compare(1e6, [() => 10, fastBut([2, 5])])).chosen).toBe(1);
  });

  it('chooses nothing on too few turns, and stops when the budget is spent', async () => {
    expect(await compare(40, [() => 5, () => 2])).toEqual({ chosen: 1, calls: 11 });
    expect(await compare(30, [() => 5, () => 2])).toEqual({ chosen: 0, calls: 7 });
    expect(await compare(0, [() => 5, () => 2])).toEqual({ chosen: 0, calls: 2 });
  });

  it('gives up soon by a clock that stands still', async () => {
    expect(await compare(100, [() => 0, () => 0, () => 0])).toEqual({ chosen: 0, calls: 17 });
  });

  it('keeps its budget when the clock is set back', async () => {
    const setBack = (turn: number): number => (turn === 1 ? -1e9 : 10);
    expect((await compare(100, [setBack, () => 10])).calls).toBeLessThanOrEqual(11);
  });

  it('decides nothing by a clock that shows nonsense', async () => {
    for (const time of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect((await compare(1e6, [() => 10, () => time])).chosen).toBe(0);
      expect((await compare(1e6, [() => time, () => 10])).chosen).toBe(0);
    }
  });
});
