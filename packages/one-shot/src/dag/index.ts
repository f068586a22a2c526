export * from './dag-beam.js';
export type { DagOptions } from './dag-decoder.js';
export * from './dag-greedy.js';
export * from './dag-sampling.js';
export * from './dag-viterbi.js';
