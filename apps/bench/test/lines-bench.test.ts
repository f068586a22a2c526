import { describe, expect, it } from 'vitest';
import { type MemorySample, memoryAfter } from '../src/lines-bench.js';

const samples = (...megabytes: number[]): MemorySample[] =>
  megabytes.map((one, index) => ({ lines: 100 * index, bytes: 1e6 * one }));

describe('memory after so many lines', () => {
  it('is what was told last until then, and the most until then', () => {
    expect(memoryAfter(samples(50, 120, 100, 110, 90, 105), [200, 500])).toEqual({
      lines: [200, 500],
      after: [100, 105],
      peak: [120, 120],
      ratio: 1.05,
      peakRatio: 1,
    });
  });

  it('grows where a line leaves something behind', () => {
    const { ratio, peakRatio } = memoryAfter(samples(100, 101, 200, 300, 400), [100, 400]);
    expect([ratio, peakRatio]).toEqual([3.96, 3.96]);
  });

  it('is not known where nothing was told', () => {
    expect(memoryAfter([], [10, 100]).ratio).toBeNaN();
  });
});
