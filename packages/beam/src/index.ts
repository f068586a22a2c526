export type { StopWhen } from './beam-row.js';
export * from './beam-search.js';
export * from './contrastive-search.js';
export type { LengthPenaltyOptions } from './length-penalty.js';
export * from './minimum-bayes-risk.js';
export * from './stochastic-beam.js';
