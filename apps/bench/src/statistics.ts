/** Summary of repeated measurements. */
export interface Spread {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
}

export function spread(values: readonly number[]): Spread {
  const [p10, median, p90] = quantiles(values, [0.1, 0.5, 0.9]);
  return { median, p10, p90 };
}

/** The values that a quarter of all lie below and above. */
export function quartiles(values: readonly number[]): readonly number[] {
  return quantiles(values, [0.25, 0.75]);
}

function quantiles(values: readonly number[], shares: readonly number[]): readonly number[] {
  const sorted = Float64Array.from(values).sort();
  return shares.map((share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
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
