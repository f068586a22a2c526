export * from './greedy-decoder.js';
export type { MirostatOptions } from './mirostat.js';
export * from './sampling-decoder.js';
export type { TruncationOptions } from './truncated-sampling.js';
