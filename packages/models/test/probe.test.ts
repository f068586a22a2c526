import { describe, expect, it } from 'vitest';
import { WidthCosts } from '../src/families/probe.js';

describe('WidthCosts', () => {
  it('reads the trend of verification costs through outliers', () => {
    const measured = Array.from({ length: 16 }, (_, index) => 0.4 * (1 + 0.1 * index));
    measured[6] = 0.2;
    measured[11] = 5;
    const { relative } = new WidthCosts(measured);
    expect(relative[0]).toBe(1);
    expect(relative[10]).toBeCloseTo(2, 5);
  });

  it('never says that more nodes cost less', () => {
    const { relative } = new WidthCosts([4, 3, 2, 1]);
    expect(relative).toEqual([1, 1, 1, 1]);
  });

  it('pads to a wider forward only where that is clearly cheaper', () => {
    expect(new WidthCosts([1, 0.95, 0.9, 0.85]).padded(1)).toBe(1);
    const costs = new WidthCosts([1, 0.9, 0.7, 0.72, 1.5]);
    expect([1, 2, 3, 4, 5, 9].map((width) => costs.padded(width))).toEqual([3, 3, 3, 4, 5, 9]);
  });

  it('is empty without measurements', () => {
    const costs = new WidthCosts([]);
    expect(costs.relative).toEqual([]);
    expect(costs.padded(7)).toBe(7);
  });

  it('measures each width in turn, the first round to warm up', async () => {
    const widths: number[] = [];
    const { measured } = await WidthCosts.measure(3, 2, async (width) => void widths.push(width));
    expect(widths).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3]);
    expect(measured.length).toBe(3);
  });
});
