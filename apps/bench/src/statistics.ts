/** Summary of repeated measurements. */
export interface Spread {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { median: at(0.5), p10: at(0.1), p90: at(0.9) };
}

/** Rounds for printing; JSON keeps the meaning, not the noise. */
export function rounded(value: number, digits = 4): number {
  return Number(value.toFixed(digits));
}

export function roundedSpread({ median, p10, p90 }: Spread, digits = 3): Spread {
  return { median: rounded(median, digits), p10: rounded(p10, digits), p90: rounded(p90, digits) };
}

/** Arithmetic mean; 0 for no values. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
