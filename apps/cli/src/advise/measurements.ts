import { largest, smallest } from '@foretoken/core/kit';
import { corpusBleu, corpusChrf } from '@foretoken/metrics';
import { median } from '../race/measure.js';

export const QUALITIES = ['bleu', 'chrf', 'exact'] as const;
export type Quality = (typeof QUALITIES)[number];

/** What one way of decoding did with the sample. */
export interface Measurement {
  readonly name: string;
  /** `[repeats][sentences]`. */
  readonly milliseconds: readonly (readonly number[])[];
  /** One a sentence. */
  readonly outputs: readonly string[];
}

export interface Summary {
  readonly name: string;
  /** Mean over the sentences; median over the repeats. */
  readonly milliseconds: number;
  /** 19 of 20 sentences take no longer; median over the repeats, as of the mean, so that the two can be compared. */
  readonly p95: number;
  /** Fastest and slowest repeat, as means over the sentences. */
  readonly range: readonly [number, number];
  /** 0 to 100. */
  readonly quality: number;
}

/** What to compare outputs with: references, or for `exact` the outputs of greedy decoding. */
export function summarise(
  measurements: readonly Measurement[],
  quality: Quality,
  expected: readonly string[],
): Summary[] {
  return measurements.map(({ name, milliseconds, outputs }) => {
    const means = milliseconds.map((times) => times.reduce((sum, time) => sum + time, 0) / times.length);
    return {
      name,
      milliseconds: median(means),
      p95: median(milliseconds.map(percentile95)),
      range: [smallest(means), largest(means)] as const,
      quality: qualityOf(outputs, quality, expected),
    };
  });
}

function percentile95(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.ceil(0.95 * sorted.length) - 1];
}

function qualityOf(outputs: readonly string[], quality: Quality, expected: readonly string[]): number {
  switch (quality) {
    case 'bleu':
      return corpusBleu(outputs, [expected]).score;
    case 'chrf':
      return corpusChrf(outputs, [expected]);
    case 'exact':
      return (100 * outputs.filter((output, index) => output === expected[index]).length) / outputs.length;
  }
}
