/** How the weights of an imported model are stored. */
export type WeightPrecision = 'float32' | 'float16' | 'int8' | 'int4';

export const WEIGHT_PRECISIONS: readonly [WeightPrecision, ...WeightPrecision[]] = [
  'float32',
  'float16',
  'int8',
  'int4',
];

/** Element type of what is not stored in 8 or 4 bits: biases, norms, positions. */
export function storageOf(weights: WeightPrecision): 'float32' | 'float16' {
  return weights === 'float32' ? 'float32' : 'float16';
}

/** Bits of the matrices, where these are 8 or 4. Tables of tokens have 8 at least. */
export function matrixBits(weights: WeightPrecision): 8 | 4 | undefined {
  return weights === 'int8' ? 8 : weights === 'int4' ? 4 : undefined;
}

/** How products with those matrices are computed, by the name that blocks know. */
export function productsOf(weights: WeightPrecision): 'float32' | 'weights8' | 'weights4' {
  const bits = matrixBits(weights);
  return bits === undefined ? 'float32' : bits === 8 ? 'weights8' : 'weights4';
}
