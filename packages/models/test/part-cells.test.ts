import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MeasuredCosts, maxPartCells } from '../src/drivers/measured-costs.js';
import { WidthCosts } from '../src/drivers/probe.js';

describe('costs of batches', () => {
  it('are finite and positive, and never fall with rows or nodes, whatever was measured', () => {
    const positive = fc.oneof(
      fc.double({ min: Number.MIN_VALUE, max: 9e98, noNaN: true }),
      fc.double({ min: 0.01, max: 50, noNaN: true }),
    );
    const anything = fc.oneof(
      positive,
      fc.constantFrom(0, -1, Number.NaN, Number.MIN_VALUE, 1e308, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    );
    const curves = fc
      .array(positive, { minLength: 1, maxLength: 16 })
      .map((measured) => new WidthCosts(measured).curve);
    fc.assert(
      fc.property(curves, anything, anything, (curve, narrow, wide) => {
        // No costs are made of a curve that was not measured.
        if (curve.length === 0) return;
        const costs = new MeasuredCosts(
          curve,
          { rows: 8, nodes: 1, milliseconds: narrow },
          { rows: 8, nodes: 4, milliseconds: wide },
        );
        for (const rows of [1, 2, 8, 64, 4096]) {
          for (const nodes of [1, 2, 16, 17, 1024]) {
            const milliseconds = costs.milliseconds(rows, nodes);
            expect(milliseconds).toBeGreaterThan(0);
            expect(milliseconds).toBeLessThan(Number.POSITIVE_INFINITY);
            expect(costs.milliseconds(rows + 1, nodes)).toBeGreaterThanOrEqual(milliseconds);
            expect(costs.milliseconds(rows, nodes + 1)).toBeGreaterThanOrEqual(milliseconds);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('times of batches that cannot be true', () => {
  const curve = [0.3, 0.32, 0.34, 0.36, 0.38, 0.4];
  const costsOf = (narrow: number, wide: number) => {
    const costs = new MeasuredCosts(
      curve,
      { rows: 8, nodes: 1, milliseconds: narrow },
      { rows: 8, nodes: 4, milliseconds: wide },
    );
    return [1, 4, 16, 64].flatMap((rows) => [1, 2, 4, 6, 11].map((nodes) => costs.milliseconds(rows, nodes)));
  };
  const unmeasured = costsOf(Number.NaN, Number.NaN);

  it('count as none: a batch takes no longer than its rows one after the other, and no less than with fewer nodes', () => {
    // True times are used.
    expect(costsOf(0.6, 1)).not.toEqual(unmeasured);
    expect(costsOf(0.8, 0.8)).not.toEqual(unmeasured);
    // A slow moment of the machine met the narrow batch, the wide one, or both.
    expect(costsOf(22, 23)).toEqual(unmeasured);
    expect(costsOf(4, 4.1)).toEqual(unmeasured);
    expect(costsOf(0.6, 22)).toEqual(unmeasured);
    expect(costsOf(1.2, 1)).toEqual(unmeasured);
  });

  it('never say that a row costs more beside others than alone', () => {
    const time = fc.double({ min: 0.01, max: 400, noNaN: true });
    fc.assert(
      fc.property(time, time, (narrow, wide) => {
        const costs = costsOf(narrow, wide);
        for (const [index, rows] of [1, 4, 16, 64].entries())
          expect(costs[5 * index]).toBeLessThanOrEqual(1.3 * rows * 0.3);
      }),
      { numRuns: 500 },
    );
  });
});

describe('how large a part of a forward is', () => {
  it('is what takes no longer than 40 ms by the measured costs, 32 cells at least and 1,024 at most', () => {
    const perNode = (milliseconds: number) => new MeasuredCosts([milliseconds, 2 * milliseconds]);
    expect(maxPartCells(undefined)).toBe(undefined);
    expect(maxPartCells(perNode(0.01))).toBe(1024);
    expect(maxPartCells(perNode(0.05))).toBe(512);
    expect(maxPartCells(perNode(0.1))).toBe(256);
    expect(maxPartCells(perNode(1))).toBe(32);
    expect(maxPartCells(perNode(1000))).toBe(32);
    // Costs of another's making may be nonsense.
    expect(maxPartCells({ milliseconds: () => Number.NaN })).toBe(32);
    expect(maxPartCells({ milliseconds: () => Number.POSITIVE_INFINITY })).toBe(32);
  });
});
