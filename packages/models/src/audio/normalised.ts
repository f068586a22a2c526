/** Added to the variance, so that silence stays silence. */
const LEAST = 1e-7;

/** Samples scaled to the mean 0 and the variance 1, as transformers' `zero_mean_unit_var_norm` does; here in float64. */
export function normalised(samples: Float32Array): Float32Array {
  let sum = 0;
  for (const sample of samples) sum += sample;
  const mean = sum / samples.length;
  let squares = 0;
  for (const sample of samples) squares += (sample - mean) ** 2;
  const deviation = Math.sqrt(squares / samples.length + LEAST);
  return samples.map((sample) => (sample - mean) / deviation);
}
