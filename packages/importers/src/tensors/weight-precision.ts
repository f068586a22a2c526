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

/** How products with the matrices are computed, by the name that blocks know. Tables of tokens have 8 bits at least. */
export function productsOf(weights: WeightPrecision): 'float32' | 'weights8' | 'weights4' {
  return weights === 'int8' ? 'weights8' : weights === 'int4' ? 'weights4' : 'float32';
}
