export * from './greedy-decoder.js';
export * from './sampling-decoder.js';
export type { MirostatOptions, TruncationOptions } from './truncated-sampling.js';
