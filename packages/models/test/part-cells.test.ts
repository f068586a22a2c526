import { describe, expect, it } from 'vitest';
import { MeasuredCosts, maxPartCells } from '../src/drivers/measured-costs.js';

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
