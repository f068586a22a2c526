import { describe, expect, it } from 'vitest';
import { batchesOver } from '../src/batch-speedup.js';
import { quartiles } from '../src/statistics.js';

describe('batches that are timed', () => {
  it.each([
    [1000, 16],
    [1000, 64],
    [250, 64],
    [65, 64],
    [128, 64],
    [64, 64],
    [1000, 1],
  ])('of %i sentences and %i rows are as many as asked for, full, and no two alike', (sentences, rows) => {
    const batches = batchesOver(sentences, rows, 64);
    expect(batches.length).toBe(64);
    for (const places of batches) {
      expect(new Set(places).size).toBe(rows);
      expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...places)).toBeLessThan(sentences);
    }
    const begins = new Set(batches.map(([first]) => first));
    expect(begins.size).toBe(64);
  });

  it('hold each sentence nearly as often as any other', () => {
    const times = new Map<number, number>();
    for (const place of batchesOver(1000, 64, 64).flat()) times.set(place, (times.get(place) ?? 0) + 1);
    expect(times.size).toBe(1000);
    expect(Math.max(...times.values()) - Math.min(...times.values())).toBeLessThanOrEqual(1);
  });

  it('share no sentence where there are enough', () => {
    const places = batchesOver(1000, 4, 64).flat();
    expect(new Set(places).size).toBe(places.length);
  });

  it('have as many rows as they are called after, where there are fewer sentences', () => {
    expect(batchesOver(3, 4, 2)).toEqual([
      [0, 1, 2, 0],
      [1, 2, 0, 1],
    ]);
  });
});

it('a quarter of all values lie below and above the quartiles', () => {
  expect(quartiles([8, 1, 7, 2, 6, 3, 5, 4])).toEqual([3, 7]);
});
